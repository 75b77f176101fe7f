# lme4's best optimum on 200 data sets simulated from random_coefficients and 200 from random_intercept
# (whose slope variance is zero: the hard ones).
#
#   python tests/reference/simulate.py data/hsb_snapshot.csv DIRECTORY
#   Rscript tests/reference/simulated_200.R data/hsb_snapshot.csv DIRECTORY out.csv [how many of each]
#
# Run from the root of the project; all of them take about twenty minutes. README.md beside this file says
# what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- arguments[1]
directory <- arguments[2]
output <- arguments[3]
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))

data_sets <- if (length(arguments) >= 4) as.integer(arguments[4]) else 200
hsb <- read_hsb(snapshot)

# Formulas are parsed once; the response is replaced in the model frame, from which lme4 takes it.
parse <- function(formula, reml) lFormula(formula, hsb, REML = reml)
slopes <- parse(mathach ~ cses + (cses | school), TRUE)
no_slopes <- parse(mathach ~ cses + (1 | school), TRUE)
no_slopes_ml <- parse(mathach ~ cses + (1 | school), FALSE)
minority_ml <- parse(mathach ~ cses + minority + (1 | school), FALSE)

fit <- function(parsed, y) {
  parsed$fr$mathach <- y
  deviance_function <- do.call(mkLmerDevfun, parsed)
  end <- optimum(deviance_function, parsed$reTrms$lower)
  # A second kind of optimiser, from where the first began: does it know better?
  other <- optimizeLmer(deviance_function, optimizer = "Nelder_Mead",
                        start = ifelse(parsed$reTrms$lower == 0, 0.5, 0),
                        control = list(maxfun = 1e5, FtolAbs = 1e-10, FtolRel = 1e-15, XtolRel = 1e-10))
  if (other$fval < end$fval - 1e-8) {
    message(sprintf("Nelder-Mead is better by %.3g", end$fval - other$fval))
    end <- bobyqa_from(deviance_function, other$par)
  }
  deviance_function(end$par)
  model <- mkMerMod(environment(deviance_function), end, parsed$reTrms, fr = parsed$fr)
  list(criterion = end$fval, theta = getME(model, "theta"), sigma = sigma(model), fixef = fixef(model),
       singular = isSingular(model))
}

row <- function(simulated_from, data_set, y) {
  full <- fit(slopes, y)
  data.frame(
    simulated_from = simulated_from, data_set = data_set,
    y_first = y[1], y_last = y[length(y)], y_mean = mean(y), y_sd = sd(y),
    criterion = full$criterion, theta_1 = full$theta[1], theta_2 = full$theta[2], theta_3 = full$theta[3],
    sigma = full$sigma, intercept = full$fixef[[1]], cses = full$fixef[[2]],
    singular = tolower(full$singular),
    random_intercept_criterion = fit(no_slopes, y)$criterion,
    random_intercept_ml_criterion = fit(no_slopes_ml, y)$criterion,
    random_intercept_minority_ml_criterion = fit(minority_ml, y)$criterion
  )
}

rows <- list()
for (simulated_from in c("random_coefficients", "random_intercept")) {
  file <- file.path(directory, paste0(simulated_from, ".f64"))
  y <- matrix(readBin(file, "double", n = data_sets * nrow(hsb), endian = "little"), nrow(hsb), data_sets)
  for (data_set in seq_len(data_sets)) {
    rows[[length(rows) + 1]] <- row(simulated_from, data_set, y[, data_set])
    if (data_set %% 20 == 0) message(simulated_from, " ", data_set)
  }
}
table <- do.call(rbind, rows)
numeric <- sapply(table, is.double)
table[numeric] <- lapply(table[numeric], function(x) sprintf("%.15g", x))
write.csv(table, output, row.names = FALSE, quote = FALSE)
