# What pbkrtest's summary makes of given reference distributions: the statistics in simulated_random_coefficients.csv.
#
#   Rscript tests/reference/pbkrtest_summary.R [out.json]
#
# Run from the root of the project. README.md beside this file says what reads the result.

suppressPackageStartupMessages({
  library(pbkrtest)
  library(jsonlite)
})

arguments <- commandArgs(trailingOnly = TRUE)
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
output <- if (length(arguments) >= 1) arguments[1] else file.path(folder, "pbkrtest_summary.json")

simulated <- read.csv(file.path(folder, "simulated_random_coefficients.csv"))
null <- simulated[simulated$simulated_from == "random_intercept", ]
minority <- null$random_intercept_ml_criterion - null$random_intercept_minority_ml_criterion
slope <- null$random_intercept_criterion - null$criterion

# test_bootstrap_test.py makes the same distributions. The statistics are chosen, but for that of the vignette's own test.
cases <- list(
  minority = list(statistic = 3.2, df = 1, reference = minority),
  minority_observed = list(statistic = 207.339333631855, df = 1, reference = minority),
  minority_stretched = list(statistic = 3.2, df = 1, reference = 1.2 * minority),
  slope = list(statistic = 3.9, df = 2, reference = slope),
  slope_with_zeros = list(statistic = 3.9, df = 2, reference = pmax(2 * slope - 1, 0))
)

# The object that PBmodcomp() returns, as far as its summary reads it.
summarise <- function(case) {
  test <- structure(list(LRTstat = c(tobs = case$statistic, df = case$df), ref = case$reference), class = "PBmodcomp")
  table <- summary(test)$test
  ratio <- mean(case$reference[case$reference > 0]) / case$df
  ddf <- 2 * ratio / (ratio - 1)
  list(
    statistic = unbox(case$statistic), df = unbox(case$df),
    positive = unbox(sum(case$reference > 0)),
    tests = data.frame(test = rownames(table), table, row.names = NULL),
    # F with the ddf from the mean divided by df, which pbkrtest does not divide.
    f = list(ddf = unbox(ddf),
             p_value = unbox(if (ddf > 0) pf(case$statistic / case$df, case$df, ddf, lower.tail = FALSE) else NA_real_))
  )
}

result <- list(
  software = list(R = unbox(as.character(getRversion())), pbkrtest = unbox(as.character(packageVersion("pbkrtest")))),
  cases = lapply(cases, summarise)
)
writeLines(toJSON(result, digits = I(15), pretty = TRUE, na = "null"), output)
