# Where each of lme4's own five optimisers ends on every model of config.yaml, by REML, as lmer() calls it: from the
# identity, within lme4's bounds, with lme4's own tolerances.
#
#   Rscript tests/reference/lme4_optimisers.R [snapshot.csv [out.json]]
#
# Run from the root of the project, after lme4_reference.R, which names the models and has their optima.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/lme4_optimisers.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))
reference <- fromJSON(file.path(dirname(script), "lme4_reference.json"), simplifyVector = FALSE)

# As allFit() has them; its other two need packages beside lme4. The first is what lmer() uses unless told.
optimisers <- list(
  nloptwrap_bobyqa = lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA")),
  nloptwrap_neldermead = lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_NELDERMEAD")),
  bobyqa = lmerControl(optimizer = "bobyqa"),
  Nelder_Mead = lmerControl(optimizer = "Nelder_Mead"),
  nlminbwrap = lmerControl(optimizer = "nlminbwrap")
)

hsb <- read_hsb(snapshot)

ends <- lapply(reference$models, function(model) {
  lapply(optimisers, function(control) {
    # What it warns of is not kept: a warning tells nothing of where the search ended.
    fit <- suppressMessages(suppressWarnings(lmer(as.formula(model$formula), hsb, REML = TRUE, control = control)))
    list(criterion = REMLcrit(fit), above_optimum = REMLcrit(fit) - model$REML$criterion, singular = isSingular(fit))
  })
})

about <- "REML criteria where lme4's own five optimisers end; above_optimum is against lme4_reference.json"
made <- list(about = about, software = versions(c("lme4", "nloptr", "minqa")), models = ends)
writeLines(toJSON(made, auto_unbox = TRUE, digits = NA, pretty = TRUE), output)
