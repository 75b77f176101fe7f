# The models of the studies beside HSB and sleepstudy, fitted by lme4 at the true optimum.
#
#   Rscript tests/reference/studies.R [out.json]
#
# Run from the root of the project, with R's packages nlme and mlmRev (in Debian: r-cran-nlme r-cran-mlmrev), from which
# the data of the studies are. README.md beside this file says what reads the result. Takes some four minutes.

arguments <- commandArgs(trailingOnly = TRUE)
output <- if (length(arguments) >= 1) arguments[1] else "tests/reference/studies.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))

# Levels as in each config.yaml, the reference level first.
machines <- as.data.frame(nlme::Machines)
star <- within(mlmRev::star, {
  cltype <- factor(cltype, levels = c("reg", "small", "reg+A"))
  ses <- factor(ses, levels = c("N", "F"))
  sx <- factor(sx, levels = c("F", "M"))
})
exam <- within(mlmRev::Exam, {
  school_LRT <- ave(standLRT, school)
  sex <- factor(sex, levels = c("F", "M"), labels = c("girl", "boy"))
})
tables <- list(machines = machines, star = star, exam = exam)

# As in each config.yaml; tests/studies/test_examples.py compares them.
formulas <- list(
  machines = list(
    empty = "score ~ (1 | Worker)",
    machines = "score ~ Machine + (1 | Worker)",
    machines_by_worker = "score ~ Machine + (Machine | Worker)"
  ),
  star = list(
    empty = "math ~ (1 | id)",
    growth = "math ~ yrs + (1 | id)",
    growth_differs = "math ~ yrs + (yrs | id)",
    class_size = "math ~ yrs + cltype + ses + sx + (yrs | id)",
    lunch_and_growth = "math ~ yrs * ses + cltype + sx + (yrs | id)"
  ),
  exam = list(
    empty = "normexam ~ (1 | school)",
    reading = "normexam ~ standLRT + (1 | school)",
    reading_differs = "normexam ~ standLRT + (standLRT | school)",
    school_gender = "normexam ~ standLRT + sex + schgend + school_LRT + (standLRT | school)",
    slopes_as_outcomes = "normexam ~ standLRT * school_LRT + sex + schgend + (standLRT | school)"
  )
)

numbered <- function(values) I(unname(as.numeric(values)))

describe <- function(model) {
  list(
    criterion = if (isREML(model)) REMLcrit(model) else deviance(model),
    n_obs = nobs(model), n_groups = unname(ngrps(model)), npar = attr(logLik(model), "df"),
    terms = I(names(fixef(model))), fixed_effects = numbered(fixef(model)),
    std_errors = numbered(sqrt(diag(as.matrix(vcov(model))))),
    sdcor = numbered(as.data.frame(VarCorr(model))$sdcor)
  )
}

found <- list()
for (study in names(formulas)) {
  for (name in names(formulas[[study]])) {
    formula <- formulas[[study]][[name]]
    both <- lapply(c(REML = TRUE, ML = FALSE), function(reml) fit_at_optimum(formula, tables[[study]], reml))
    found[[study]][[name]] <- c(list(formula = formula), lapply(both, describe))
    message(sprintf("%-9s %-20s REML %.8f", study, name, REMLcrit(both$REML)))
  }
}

write_json(list(software = versions(c("lme4", "nlme", "mlmRev")), studies = found), output,
           auto_unbox = TRUE, digits = I(12), pretty = TRUE)
