# Profile bounds of independent_blocks.json that lme4's interpolation of the profile misses, as roots on lme4's own
# deviance function: where, with the parameter held and the others at their best, it has risen by 3.841459.
#
#   Rscript tests/reference/independent_blocks_bounds.R [snapshot.csv [out.json]]
#
# Run from the root of the project; takes about five minutes. README.md beside this file says what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/independent_blocks_bounds.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))

hsb <- read_hsb(snapshot)
hsb$minorityYes <- as.numeric(hsb$minority == "Yes")
hsb$one <- 1
fixed <- "mathach ~ cses + minorityYes"

# The least deviance with a parameter held: an SD whose row in the factor is one diagonal element, at `position` in
# theta, or a correlation, whose row is that element and the next.
held <- function(formula, position, correlation) {
  parsed <- lFormula(as.formula(paste(fixed, formula)), hsb, REML = FALSE)
  deviance_function <- do.call(mkLmerDevfun, parsed)
  best <- optimum(deviance_function, parsed$reTrms$lower)
  at <- environment(deviance_function)
  n <- nrow(hsb)
  penalised <- function() at$resp$wrss() + at$pp$sqrL(1)
  deviance_function(best$par)
  log_sigma <- log(penalised() / n) / 2
  minimum <- function(objective, start) {
    end <- list(par = start, fval = Inf)
    repeat {
      again <- minqa::bobyqa(end$par, objective, control = list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5))
      if (end$fval - again$fval < 1e-9) return(min(end$fval, again$fval))
      end <- again
    }
  }
  least <- function(value) {
    theta <- best$par
    if (correlation) {
      row <- position + 0:1
      objective <- function(free) {
        theta[row] <- free[1] * c(value, sqrt(1 - value^2))
        theta[-row] <- free[-1]
        deviance_function(theta)
      }
      return(minimum(objective, c(sqrt(sum(theta[row]^2)), theta[-row])))
    }
    objective <- function(free) {
      sigma <- exp(free[1])
      theta[position] <- value / sigma
      theta[-position] <- free[-1]
      deviance_function(theta)
      at$pp$ldL2() + n * log(2 * pi * sigma^2) + penalised() / sigma^2
    }
    minimum(objective, c(log_sigma, theta[-position]))
  }
  function(value) least(value) - best$fval - qchisq(0.95, 1)
}

bound <- function(model, parameter, side, formula, position, around, correlation = FALSE) {
  value <- uniroot(held(formula, position, correlation), around, tol = 1e-7)$root
  message(model, " ", parameter, " ", side, " ", format(value, digits = 10))
  list(model = model, parameter = parameter, side = side, value = value)
}

alone <- "+ (0 + minorityYes | school)"
pair <- "+ (1 | school) + (0 + cses + minorityYes | school)"
result <- list(
  about = "Made by tests/reference/independent_blocks_bounds.R; see README.md beside this file",
  software = versions("lme4"),
  bounds = list(
    bound("three", ".sig02", "lower", paste("+ (1 | school) + (0 + cses | school)", alone), 2, c(0.2, 0.3)),
    bound("pair_and_one", ".sig02", "lower", paste("+ (cses | school)", alone), 2, c(-0.65, -0.5), TRUE),
    bound("pair_and_one", ".sig02", "upper", paste("+ (cses | school)", alone), 2, c(0.15, 0.3), TRUE),
    bound("pair_and_one", ".sig03", "lower", paste("+ (0 + cses + one | school)", alone), 1, c(0.2, 0.35)),
    bound("one_and_pair", ".sig02", "lower", pair, 2, c(0.2, 0.3)),
    bound("one_and_pair", ".sig03", "upper", pair, 3, c(0, 0.12), TRUE),
    bound("one_and_pair", ".sig04", "lower", "+ (1 | school) + (0 + minorityYes + cses | school)", 2, c(0.7, 0.85))
  )
)
write(toJSON(result, digits = I(12), auto_unbox = TRUE, pretty = 1), output)
