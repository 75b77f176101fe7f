# Kenward-Roger tests of every fixed effect by R's pbkrtest, and Satterthwaite's by lmerTest, of fits at their optimum.
#
#   Rscript tests/reference/kenward_roger.R [snapshot.csv [out.json]]
#
# Run from the root of the project. README.md beside this file says when, and what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/kenward_roger.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))

# Four models of config.yaml, as written there (tests/inference/test_fixed_tests.py compares them), and one on the first 20
# schools, where degrees of freedom matter, and on the last 40, where its optimum is singular.
random_coefficients <- "mathach ~ cses + (cses | school)"
cases <- list(
  random_intercept_minority = list(formula = "mathach ~ cses + minority + (1 | school)", schools = 1:160),
  random_coefficients = list(formula = random_coefficients, schools = 1:160),
  random_coefficients_minority =
    list(formula = "mathach ~ cses + minority + (cses + minority | school)", schools = 1:160),
  intercepts_and_slopes =
    list(formula = "mathach ~ cses*mean.ses + cses*sector + (cses | school)", schools = 1:160),
  first_20_schools = list(formula = random_coefficients, schools = 1:20),
  last_40_schools = list(formula = random_coefficients, schools = 121:160)
)

whole <- read_hsb(snapshot)

satterthwaite <- function(model) {
  table <- coef(summary(lmerTest::as_lmerModLmerTest(model)))
  lapply(rownames(table), function(term) {
    list(term = term, df = table[term, "df"], p_value = table[term, "Pr(>|t|)"])
  })
}

# The adjusted covariance is computed once: it takes nearly all of the time.
kenward_roger <- function(model) {
  adjusted <- pbkrtest::vcovAdj(model)
  beta <- fixef(model)
  lapply(seq_along(beta), function(i) {
    std_error <- sqrt(adjusted[i, i])
    df <- pbkrtest::Lb_ddf(as.numeric(seq_along(beta) == i), vcov(model), adjusted)
    statistic <- beta[[i]] / std_error
    list(term = names(beta)[i], std_error = std_error, statistic = statistic, df = df,
         p_value = 2 * pt(-abs(statistic), df))
  })
}

# lmerTest evaluates the fit's call once more, which names the data `hsb`: it has to be the data of this case.
described <- function(case) {
  hsb <<- droplevels(whole[whole$school %in% levels(whole$school)[case$schools], ])
  started <- Sys.time()
  model <- fit_at_optimum(case$formula, hsb, TRUE)
  result <- list(formula = case$formula, schools = range(case$schools), criterion = REMLcrit(model),
                 singular = isSingular(model), satterthwaite = satterthwaite(model), kenward_roger = kenward_roger(model))
  message(sprintf("%s, %d schools: %.0f s", case$formula, length(case$schools),
                  as.numeric(Sys.time() - started, units = "secs")))
  result
}

result <- list(
  about = "Made by tests/reference/kenward_roger.R; see README.md beside this file",
  software = versions(c("lme4", "lmerTest", "pbkrtest")),
  models = lapply(cases, described)
)
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = 1, na = "null"), output)
