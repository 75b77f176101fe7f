# The project's reference values: every model of config.yaml fitted by R's lme4, at its true optimum.
#
#   Rscript tests/reference/lme4_reference.R [snapshot.csv [out.json]]
#
# Run from the root of the project. README.md beside this file says when, and what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/lme4_reference.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))
options(useFancyQuotes = FALSE)

# As in config.yaml; tests/reference/test_reference_fixtures.py compares the two.
formulas <- list(
  one_way_anova = "mathach ~ (1 | school)",
  means_by_sector = "mathach ~ sector + (1 | school)",
  means_by_mean_ses = "mathach ~ mean.ses + (1 | school)",
  means_by_sector_and_mean_ses = "mathach ~ sector + mean.ses + (1 | school)",
  random_intercept = "mathach ~ cses + (1 | school)",
  random_intercept_minority = "mathach ~ cses + minority + (1 | school)",
  random_coefficients = "mathach ~ cses + (cses | school)",
  random_coefficients_minority = "mathach ~ cses + minority + (cses + minority | school)",
  intercepts_and_slopes = "mathach ~ cses*mean.ses + cses*sector + (cses | school)",
  intercepts_and_slopes_expanded =
    "mathach ~ cses + mean.ses + sector + cses:mean.ses + cses:sector + (cses | school)"
)

hsb <- read_hsb(snapshot)

# ------------------------------------------------------------------------------------------ what is kept

fixed_effects <- function(model) {
  table <- coef(summary(model))
  lapply(rownames(table), function(term) {
    list(term = term, estimate = table[term, "Estimate"], std_error = table[term, "Std. Error"],
         statistic = table[term, "t value"])
  })
}

random_effects <- function(model) {
  table <- as.data.frame(VarCorr(model))
  lapply(seq_len(nrow(table)), function(i) {
    list(group = table$grp[i], term_1 = table$var1[i], term_2 = table$var2[i], vcov = table$vcov[i],
         sdcor = table$sdcor[i])
  })
}

# Empirical Bayes effects with their conditional standard deviations: the first and last five schools in the
# order of the data, and per term the standard deviation of the effects over all schools.
school_effects <- function(model) {
  effects <- as.data.frame(ranef(model, condVar = TRUE), stringsAsFactors = FALSE)
  effects$term <- as.character(effects$term)
  effects$grp <- as.character(effects$grp)
  ends <- c(head(levels(hsb$school), 5), tail(levels(hsb$school), 5))
  terms <- unique(effects$term)
  list(
    rows = do.call(c, lapply(ends, function(school) lapply(terms, function(term) {
      row <- effects[effects$grp == school & effects$term == term, ]
      list(school = school, term = term, effect = row$condval, std_error = row$condsd)
    }))),
    sd_over_schools = lapply(terms, function(term) {
      list(term = term, sd = sd(effects$condval[effects$term == term]))
    })
  )
}

describe <- function(model) {
  reml <- isREML(model)
  covariance <- VarCorr(model)$school
  list(
    criterion = if (reml) REMLcrit(model) else deviance(model),
    log_likelihood = as.numeric(logLik(model)),
    npar = attr(logLik(model), "df"),
    aic = AIC(model),
    bic = BIC(model),
    theta = I(unname(getME(model, "theta"))),
    sigma = sigma(model),
    n_obs = nobs(model),
    n_groups = unname(ngrps(model)),
    singular = isSingular(model),
    fixed_effects = fixed_effects(model),
    fixed_effects_covariance = unname(as.matrix(vcov(model))),
    random_effects = random_effects(model),
    random_effects_terms = I(rownames(covariance)),
    random_effects_covariance = matrix(as.numeric(covariance), nrow(covariance)),
    random_effects_sd = I(unname(attr(covariance, "stddev"))),
    random_effects_correlation = matrix(attr(covariance, "correlation"), nrow(covariance)),
    scaled_residual_quantiles = unname(quantile(residuals(model) / sigma(model))),
    school_effects = school_effects(model),
    fitted_head = unname(fitted(model)[1:5])
  )
}

# summary() is kept at R's default width, 80; anova() at 120, so that no row wraps.
printed_at <- function(width, object) {
  before <- options(width = width)
  on.exit(options(before))
  capture.output(print(object))
}

summary_text <- function(model) I(printed_at(80, summary(model)))

# ----------------------------------------------------------------------------------------------- models

models <- list()
kept <- list()
for (name in names(formulas)) {
  formula <- formulas[[name]]
  fits <- list(REML = fit_at_optimum(formula, hsb, TRUE), ML = fit_at_optimum(formula, hsb, FALSE))
  kept[[name]] <- fits
  models[[name]] <- list(formula = formula, REML = describe(fits$REML), ML = describe(fits$ML),
                         summary_text = summary_text(fits$REML))
  message(sprintf("%-31s REML %.8f  ML %.8f", name, REMLcrit(fits$REML), deviance(fits$ML)))
}

# The point that the vignette prints for random_coefficients_minority: where lme4's default optimiser ends.
default_optimiser <- suppressMessages(
  lme4::lmer(mathach ~ cses + minority + (cses + minority | school), data = hsb)
)

# ------------------------------------------------------------------------------------------ comparisons

comparison <- function(table) {
  rows <- as.data.frame(table)
  list(
    rows = lapply(seq_len(nrow(rows)), function(i) {
      list(model = rownames(rows)[i], npar = rows$npar[i], AIC = rows$AIC[i], BIC = rows$BIC[i],
           logLik = rows$logLik[i], deviance = rows$deviance[i], chisq = rows$Chisq[i], df = rows$Df[i],
           p_value = rows[["Pr(>Chisq)"]][i])
    }),
    text = I(printed_at(120, table))
  )
}

# anova() takes the names of the models from the names of the objects. The ML comparison is given the ML fits,
# so that it compares the optima found here and not those of a refit.
random_intercept <- kept$random_intercept$ML
random_intercept_minority <- kept$random_intercept_minority$ML
minority_effect <- comparison(anova(random_intercept, random_intercept_minority))
random_intercept <- kept$random_intercept$REML
random_coefficients <- kept$random_coefficients$REML
cses_slope_variance <- comparison(anova(random_intercept, random_coefficients, refit = FALSE))
random_intercept_minority <- kept$random_intercept_minority$REML
random_coefficients_minority <- kept$random_coefficients_minority$REML
random_slopes_with_minority <-
  comparison(anova(random_intercept_minority, random_coefficients_minority, refit = FALSE))

# ------------------------------------------------------------------------------------ degrees of freedom

satterthwaite <- lapply(kept, function(fits) {
  table <- coef(summary(lmerTest::as_lmerModLmerTest(fits$REML)))
  lapply(rownames(table), function(term) {
    list(term = term, df = table[term, "df"], p_value = table[term, "Pr(>|t|)"])
  })
})

kenward_roger <- pbkrtest::getKR(
  pbkrtest::KRmodcomp(kept$random_intercept_minority$REML, kept$random_intercept$REML)
)

# ----------------------------------------------------------------------------------------------- output

result <- list(
  about = "Made by tests/reference/lme4_reference.R; see README.md beside this file",
  software = versions(c("lme4", "Matrix", "minqa", "lmerTest", "pbkrtest")),
  models = models,
  default_optimiser = list(random_coefficients_minority = c(
    describe(default_optimiser), list(summary_text = summary_text(default_optimiser))
  )),
  comparisons = list(
    minority_effect = minority_effect,
    cses_slope_variance = cses_slope_variance,
    random_slopes_with_minority = random_slopes_with_minority
  ),
  satterthwaite = satterthwaite,
  kenward_roger = list(minority_effect = kenward_roger[c("ndf", "ddf", "Fstat", "p.value")])
)
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = 1, matrix = "rowmajor", na = "null"), output)
