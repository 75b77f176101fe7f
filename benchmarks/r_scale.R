# How lme4 scales: one fit and one bootstrap replicate (simulate, refit) of random coefficients on generated data.
#
#     Rscript benchmarks/r_scale.R SCHOOLS STUDENTS
#
# prints JSON. The data are drawn as scale.py draws them, with R's own random numbers.

suppressPackageStartupMessages({
  library(lme4)
  library(jsonlite)
})
arguments <- as.integer(commandArgs(trailingOnly = TRUE))
schools <- arguments[1]
students <- arguments[2]
set.seed(1)
school <- rep_len(seq_len(schools), students)
x <- rnorm(students, sd = 0.66)
intercept <- 12.64 + 2.95 * rnorm(schools)
slope <- 2.19 + 0.83 * rnorm(schools)
table <- data.frame(y = intercept[school] + slope[school] * x + 6.06 * rnorm(students), x = x, school = factor(school))

suppressWarnings(suppressMessages({
  fit_seconds <- system.time(fit <- lmer(y ~ x + (x | school), table))[["elapsed"]]
  seconds <- system.time(refit(fit, simulate(fit, seed = 2)[[1]]))[["elapsed"]]
}))
cat(toJSON(list(fit_seconds = fit_seconds, replicate_seconds = seconds), digits = NA, auto_unbox = TRUE))
