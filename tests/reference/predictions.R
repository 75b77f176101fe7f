# What lme4 predicts for new rows, with formulas whose terms depend on all values of a column; and summaries of a fit by
# REML and by ML.
#
#   Rscript tests/reference/predictions.R
#
# Run from the root of the project; takes a few seconds. README.md beside this file says what reads the result.

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))
suppressPackageStartupMessages(library(splines))
options(useFancyQuotes = FALSE)

sleep <- read.csv(file.path(dirname(script), "sleepstudy.csv"))
sleep$Subject <- factor(sleep$Subject)
clinics <- read.csv(file.path(dirname(script), "cases", "clinics.csv"), stringsAsFactors = TRUE)

# A row as in the fit, one of an unknown group beyond the range, a missing predictor, a missing group, one between.
days <- data.frame(Days = c(2, 12, NA, -3, 4.5), Subject = c("308", "999", "308", NA, "335"))
visits <- data.frame(x = c(4, 7.5, 3, NA, -1), w = c(0.5, -1, 2, 0, 0.25), arm = c("Yes", "No", "No", "Yes", "Yes"),
                     dose = c("mid", "low", "high", "low", "mid"), old = c(TRUE, FALSE, FALSE, TRUE, TRUE),
                     clinic = c("c01", "c02", "new", "c03", NA))
visits$dose <- factor(visits$dose, levels = levels(clinics$dose))  # C() takes no text

cases <- list(
  list(formula = "Reaction ~ Days + (Days | Subject)", data = "sleepstudy", new = days),
  list(formula = "Reaction ~ ns(Days, 3) + (1 | Subject)", data = "sleepstudy", new = days),
  list(formula = "Reaction ~ ns(Days, knots = c(2, 5)) + (1 | Subject)", data = "sleepstudy", new = days),
  list(formula = "Reaction ~ bs(Days, df = 4) + (1 | Subject)", data = "sleepstudy", new = days),
  list(formula = "Reaction ~ poly(Days, 2) + (scale(Days) | Subject)", data = "sleepstudy", new = days),
  list(formula = "Reaction ~ factor(Days) + (1 | Subject)", data = "sleepstudy",
       new = transform(days, Days = c(2, 9, NA, 0, 4))),
  list(formula = "y ~ arm * scale(x) + C(dose, contr.sum) + (1 | clinic)", data = "clinics", new = visits),
  list(formula = "y ~ x + old + offset(w) + (x | clinic)", data = "clinics", new = visits),
  list(formula = "y ~ cut(x, c(-10, 2, 4, 20)) + (0 + arm | clinic)", data = "clinics", new = visits)
)

predicted <- lapply(cases, function(case) {
  data <- if (case$data == "sleepstudy") sleep else clinics
  # Not fit_at_optimum of lme4_common.R: predict() needs the data that the call names.
  model <- lmer(as.formula(case$formula), data,
                control = lmerControl("bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-9)))
  case$with_groups <- unname(predict(model, case$new, allow.new.levels = TRUE))
  case$fixed_alone <- unname(predict(model, case$new, re.form = NA))
  case
})
summary_of <- function(reml) {
  model <- fit_at_optimum("Reaction ~ Days + (Days | Subject)", sleep, reml)
  capture.output(print(summary(model)))
}
write_json(list(software = versions("lme4"), cases = predicted, summaries = list(REML = summary_of(TRUE), ML = summary_of(FALSE))),
           file.path(dirname(script), "predictions.json"), auto_unbox = TRUE, digits = NA, pretty = TRUE, na = "null")
