# What R says of a few models beyond their fits: lmerTest's type III tests, emmeans' marginal means and contrasts, lm
# beside lmer, each group's own lm, AICc.
#
#   Rscript tests/reference/factors_and_levels.R [out.json]
#
# Run from the root of the project. README.md beside this file says when, and what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
output <- if (length(arguments) >= 1) arguments[1] else "tests/reference/factors_and_levels.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))
suppressPackageStartupMessages(library(emmeans))
emm_options(pbkrtest.limit = 1e5, lmerTest.limit = 1e5, msg.interaction = FALSE)

clinics <- read.csv("tests/reference/cases/clinics.csv", check.names = FALSE)
clinics <- transform(clinics, arm = factor(arm, c("No", "Yes")), dose = factor(dose, c("low", "mid", "high")),
                     site = factor(site, c("urban", "rural")))
sleepstudy <- read.csv("tests/reference/sleepstudy.csv")
sleepstudy$Subject <- factor(sleepstudy$Subject)
whole <- read_hsb("data/hsb_snapshot.csv")

cases <- list(
  sleepstudy = list(data = sleepstudy, formula = "Reaction ~ Days + (Days | Subject)", group = "Subject",
                    new = list(list(Days = 0), list(Days = 3.5))),
  factors = list(data = clinics, formula = "y ~ x + arm*dose + (1 | clinic)", group = "clinic", factors = c("arm", "dose"),
                 cells = "arm:dose", new = list(list(x = 2, arm = "Yes", dose = "mid"))),
  three_factors = list(data = clinics, formula = "y ~ arm*dose*site + x + (x | clinic)", group = "clinic",
                       factors = c("arm", "dose", "site")),
  slopes = list(data = clinics, formula = "y ~ x*dose + w*dose + (x | clinic)", group = "clinic", factors = "dose"),
  one_term = list(data = clinics, formula = "y ~ dose + (1 | clinic)", group = "clinic", factors = "dose"),
  intercepts_and_slopes = list(data = whole, formula = "mathach ~ cses*mean.ses + cses*sector + (cses | school)",
                               group = "school", factors = "sector")
)

rows_of <- function(table) lapply(seq_len(nrow(table)), function(i) as.list(table[i, , drop = FALSE]))

type3 <- function(model, ddf) {
  table <- as.data.frame(anova(lmerTest::as_lmerModLmerTest(model), type = "3", ddf = ddf))
  lapply(seq_len(nrow(table)), function(i) list(term = rownames(table)[i], df = table[i, "NumDF"],
    ddf = table[i, "DenDF"], statistic = table[i, "F value"], p_value = table[i, "Pr(>F)"]))
}

means <- function(model, factors, mode) {
  grid <- ref_grid(model, data = hsb, lmer.df = mode)
  plain <- function(object) rows_of(as.data.frame(summary(object, infer = c(TRUE, TRUE))))
  each <- lapply(setNames(factors, factors), function(f) {
    found <- emmeans(grid, strsplit(f, ":")[[1]])
    list(means = plain(found), contrasts = plain(pairs(found, reverse = TRUE)))
  })
  each
}

# The data are called `hsb` because fit_at_optimum names them so in the call that lmerTest and emmeans evaluate.
described <- function(case) {
  hsb <<- droplevels(case$data)
  result <- list(formula = case$formula)
  fixed <- lme4::nobars(as.formula(case$formula))
  for (estimator in c("REML", "ML")) {
    model <- fit_at_optimum(case$formula, hsb, estimator == "REML")
    pooled <- lm(fixed, hsb)
    likelihood <- logLik(model)
    k <- attr(likelihood, "df")
    statistic <- 2 * (as.numeric(likelihood) - as.numeric(logLik(pooled, REML = estimator == "REML")))
    result[[estimator]] <- list(
      criterion = -2 * as.numeric(likelihood), aicc = AIC(model) + 2 * k * (k + 1) / (nobs(model) - k - 1),
      against_lm = list(statistic = statistic, df = k - length(coef(pooled)) - 1),
      satterthwaite = list(tests = type3(model, "Satterthwaite"), means = means(model, c(case$factors, case$cells),
                                                                                "satterthwaite")))
    if (estimator == "REML") {
      result$REML$kenward_roger <- list(tests = type3(model, "Kenward-Roger"),
                                        means = means(model, c(case$factors, case$cells), "kenward-roger"))
      result$REML$predictions <- lapply(case$new, function(at) c(at, as.list(as.data.frame(summary(
        ref_grid(model, at = at, data = hsb, lmer.df = "kenward-roger"), infer = TRUE)))))
    }
  }
  result$pooled <- rows_of(data.frame(term = names(coef(pooled)), coef(summary(pooled)), check.names = FALSE))
  averages <- aggregate(cbind(model.matrix(pooled), .y = model.response(model.frame(pooled))),
                        by = list(hsb[[case$group]]), FUN = mean)
  # A mean of deviations is zero but for rounding, of which lm would make a coefficient.
  averages[-1] <- round(averages[-1], 10)
  between <- lm(.y ~ 0 + ., averages[-1])
  result$between <- lapply(names(coef(between)), function(term) {
    known <- summary(between)$coefficients
    list(term = gsub("`", "", term), estimate = coef(between)[[term]],
         std_error = if (term %in% rownames(known)) known[term, "Std. Error"] else NA)
  })
  result
}

own <- lme4::lmList(Reaction ~ Days | Subject, sleepstudy, pool = FALSE)
result <- list(
  about = "Made by tests/reference/factors_and_levels.R; see README.md beside this file",
  software = versions(c("lme4", "lmerTest", "pbkrtest", "emmeans")),
  models = lapply(cases, described),
  own_lines = lapply(names(own), function(subject) list(group = subject, coefficients = rows_of(data.frame(
    term = names(coef(own[[subject]])), coef(summary(own[[subject]])), check.names = FALSE)),
    sigma = sigma(own[[subject]])))
)
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = 1, na = "null"), output)
