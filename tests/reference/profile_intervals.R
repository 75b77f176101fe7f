# Profile-likelihood intervals of every model by lme4's profile(), at the true optimum of each.
#
#   Rscript tests/reference/profile_intervals.R [snapshot.csv [out.json]]
#
# Run from the root of the project, after lme4_reference.R. Takes about five minutes. README.md beside this file says
# what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/profile_intervals.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))

formulas <- lapply(read_json(file.path(dirname(script), "lme4_reference.json"))$models, `[[`, "formula")
hsb <- read_hsb(snapshot)

intervals <- function(formula) {
  model <- fit_at_optimum(formula, hsb, reml = FALSE)
  q <- length(model@cnms[[1]])
  names <- c(sprintf(".sig%02d", seq_len(q * (q + 1) / 2)), ".sigma", names(fixef(model)))
  bounds <- lapply(seq_along(names), function(position) interval(model, position))
  list(formula = formula, deviance = -2 * as.numeric(logLik(model)),
       intervals = Map(function(name, of) c(list(parameter = name), of), names, bounds) |> unname())
}

result <- list(software = versions("lme4"), level = 0.95, models = list())
for (name in names(formulas)) {
  message(name, " ", format(Sys.time(), "%H:%M:%S"))
  result$models[[name]] <- intervals(formulas[[name]])
  write_json(result, output, auto_unbox = TRUE, digits = 15, pretty = TRUE, na = "null", null = "null")
}
