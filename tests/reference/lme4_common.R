# What the reference scripts share: the data as lme4 wants it, and a search for the optimum that does not depend
# on where lme4's bounds on theta stop a single run.

suppressPackageStartupMessages({
  library(lme4)
  library(jsonlite)
})

read_hsb <- function(path) {
  hsb <- read.csv(path, stringsAsFactors = FALSE, colClasses = c(school = "character"))
  hsb$school <- factor(hsb$school, levels = unique(hsb$school))
  hsb$sector <- factor(hsb$sector, levels = c("Public", "Catholic"))
  hsb$sex <- factor(hsb$sex, levels = c("Male", "Female"))
  hsb$minority <- factor(hsb$minority, levels = c("No", "Yes"))
  stopifnot(nrow(hsb) == 7185, nlevels(hsb$school) == 160, !anyNA(hsb))
  hsb
}

versions <- function(packages) {
  installed <- sapply(packages, function(package) as.character(packageVersion(package)), simplify = FALSE)
  c(list(R = as.character(getRversion())), installed)
}

# Below, `lower` is lme4's: 0 on the diagonal of the relative covariance factor, -Inf below it.

bobyqa_from <- function(deviance_function, start) {
  optimizeLmer(deviance_function, optimizer = "bobyqa", start = start,
               control = list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5))
}

# The best end of several starts, each restarted until it gains nothing. A run that would have to carry the
# diagonal through zero stops at lme4's wall: starts with either sign of the off-diagonal elements stand on
# both sides of it.
best_of_starts <- function(deviance_function, lower) {
  best <- list(fval = Inf)
  for (diagonal in c(1, 0.3)) for (off_diagonal in if (length(lower) == 1) 0 else c(0, 0.1, -0.1)) {
    end <- bobyqa_from(deviance_function, ifelse(lower == 0, diagonal, off_diagonal))
    repeat {
      again <- bobyqa_from(deviance_function, end$par)
      gain <- end$fval - again$fval
      if (gain > 0) end <- again
      if (gain < 1e-9) break
    }
    if (end$fval < best$fval) best <- end
  }
  best
}

# bobyqa compares criteria, which are known to some 1e-11 in 5e4: it cannot place theta better than about
# 1e-6. Newton steps on numerical derivatives place it to about 1e-8. They are kept only where they do not
# lose.
newton_polish <- function(deviance_function, end) {
  theta <- end$par
  for (step in 1:3) {
    gradient <- numDeriv::grad(deviance_function, theta, method.args = list(eps = 1e-3, d = 1e-2))
    hessian <- numDeriv::hessian(deviance_function, theta, method.args = list(eps = 1e-3, d = 1e-2))
    theta <- theta - solve(hessian, gradient)
  }
  value <- deviance_function(theta)
  if (value < end$fval + 1e-9 && max(abs(theta - end$par)) < 1e-4) {
    end$par <- theta
    end$fval <- value
  }
  end
}

optimum <- function(deviance_function, lower) {
  end <- best_of_starts(deviance_function, lower)
  if (all(end$par[lower == 0] > 1e-3)) end <- newton_polish(deviance_function, end)
  deviance_function(end$par)  # leaves the model's state at the end point, where mkMerMod reads it
  end
}

# An lme4 fit at that optimum. Its call names the data `hsb`, which is what update() and summary() show.
fit_at_optimum <- function(formula, data, reml) {
  parsed <- lFormula(as.formula(formula), data, REML = reml)
  deviance_function <- do.call(mkLmerDevfun, parsed)
  end <- optimum(deviance_function, parsed$reTrms$lower)
  call <- substitute(lme4::lmer(formula = f, data = hsb, REML = r), list(f = as.formula(formula), r = reml))
  mkMerMod(environment(deviance_function), end, parsed$reTrms, fr = parsed$fr, mc = call)
}

# A profile interval, one parameter at a time, so that one that fails does not take the others with it. The base deviance
# is known to about 1e-9, hence devtol.
interval <- function(model, position) {
  complaints <- character()
  bounds <- tryCatch(
    withCallingHandlers(
      as.vector(confint(profile(model, which = position, optimizer = "bobyqa", devtol = 1e-6,
                                control = list(rhoend = 1e-8)), level = 0.95)),
      warning = function(w) {
        complaints <<- c(complaints, conditionMessage(w))
        invokeRestart("muffleWarning")
      }
    ),
    error = function(e) {
      complaints <<- c(complaints, paste("error:", conditionMessage(e)))
      c(NA_real_, NA_real_)
    }
  )
  list(lower = bounds[1], upper = bounds[2], complaints = as.list(unique(complaints)))
}
