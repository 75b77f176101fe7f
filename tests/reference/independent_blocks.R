# Independent blocks of random effects, lme4's (x || g) and several terms of one group, fitted by lme4 at the true
# optimum, with lmerTest's, pbkrtest's and lme4's own inference on them.
#
#   Rscript tests/reference/independent_blocks.R [snapshot.csv [out.json]]
#
# Run from the root of the project; takes about ten minutes. README.md beside this file says what reads the result.
# sleepstudy.csv beside it is written too: lme4's own data set, of which the tests need the table.

arguments <- commandArgs(trailingOnly = TRUE)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else "tests/reference/independent_blocks.json"
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "lme4_common.R"))
options(useFancyQuotes = FALSE)

# `||` keeps a factor together as one block, so minority is written as the dummy that its effect is. In
# factor_and_intercept it is the factor: two indicators whose sum is the intercept, which another block has.
schools <- read_hsb(snapshot)
schools$minorityYes <- as.numeric(schools$minority == "Yes")
sleep <- lme4::sleepstudy
write.csv(sleep, file.path(dirname(output), "sleepstudy.csv"), row.names = FALSE, quote = FALSE)
fixed <- "mathach ~ cses + minorityYes"
cases <- list(
  sleep = list(formula = "Reaction ~ Days + (Days || Subject)", data = sleep),
  three = list(formula = paste(fixed, "+ (1 | school) + (0 + cses | school) + (0 + minorityYes | school)"),
               data = schools),
  pair_and_one = list(formula = paste(fixed, "+ (cses | school) + (0 + minorityYes | school)"), data = schools),
  one_and_pair = list(formula = paste(fixed, "+ (1 | school) + (0 + cses + minorityYes | school)"), data = schools)
)
not_identified <- "mathach ~ cses + minority + (1 | school) + (0 + cses | school) + (0 + minority | school)"

numbered <- function(values) I(unname(as.numeric(values)))

# The deviance function has as many dimensions as theta; lme4_common's search starts from both signs of what is off the
# diagonal, of which there may be none here.
describe <- function(model) {
  table <- as.data.frame(VarCorr(model))
  effects <- as.data.frame(ranef(model, condVar = TRUE), stringsAsFactors = FALSE)
  groups <- levels(getME(model, "flist")[[1]])
  kept <- effects[as.character(effects$grp) %in% c(head(groups, 5), tail(groups, 5)), ]
  list(
    criterion = if (isREML(model)) REMLcrit(model) else deviance(model),
    npar = attr(logLik(model), "df"), aic = AIC(model), bic = BIC(model), singular = isSingular(model),
    theta = numbered(getME(model, "theta")), sigma = sigma(model),
    fixed_effects = numbered(fixef(model)), std_errors = numbered(sqrt(diag(as.matrix(vcov(model))))),
    random_effects = lapply(seq_len(nrow(table)), function(i) {
      list(group = table$grp[i], term_1 = table$var1[i], term_2 = table$var2[i], vcov = table$vcov[i],
           sdcor = table$sdcor[i])
    }),
    group_effects = lapply(seq_len(nrow(kept)), function(i) {
      list(group = as.character(kept$grp[i]), term = as.character(kept$term[i]), effect = kept$condval[i],
           std_error = kept$condsd[i])
    }),
    fitted_head = numbered(fitted(model)[1:5])
  )
}

satterthwaite <- function(model) {
  table <- coef(summary(lmerTest::as_lmerModLmerTest(model)))
  list(df = numbered(table[, "df"]), p_value = numbered(table[, "Pr(>|t|)"]))
}

kenward_roger <- function(model) {
  adjusted <- pbkrtest::vcovAdj(model)
  each <- seq_along(fixef(model))
  list(std_error = numbered(sqrt(diag(as.matrix(adjusted)))),
       df = numbered(sapply(each, function(i) pbkrtest::Lb_ddf(as.numeric(each == i), vcov(model), adjusted))))
}

intervals <- function(model) {
  names <- c(sprintf(".sig%02d", seq_along(getME(model, "theta"))), ".sigma", names(fixef(model)))
  lapply(seq_along(names), function(i) c(list(parameter = names[i]), interval(model, i)))
}

# fit_at_optimum's call names the data `hsb`; lmerTest and profile() evaluate it once more.
described <- function(case) {
  hsb <<- case$data
  reml <- fit_at_optimum(case$formula, hsb, TRUE)
  ml <- fit_at_optimum(case$formula, hsb, FALSE)
  message(sprintf("%s: REML %.8f, ML %.8f, %s", case$formula, REMLcrit(reml), deviance(ml), format(Sys.time(), "%T")))
  list(formula = case$formula, REML = describe(reml), ML = describe(ml), satterthwaite = satterthwaite(reml),
       kenward_roger = kenward_roger(reml), summary_text = I(capture.output(print(summary(reml)))),
       intervals = intervals(ml))
}

# Likelihood ratio tests by ML on sleepstudy: a variance alone is added, then a covariance alone.
compared <- function() {
  hsb <<- sleep
  one <- fit_at_optimum("Reaction ~ Days + (1 | Subject)", hsb, FALSE)
  two <- fit_at_optimum("Reaction ~ Days + (Days || Subject)", hsb, FALSE)
  whole <- fit_at_optimum("Reaction ~ Days + (Days | Subject)", hsb, FALSE)
  table <- as.data.frame(anova(one, two, whole))
  list(npar = numbered(table$npar), chisq = numbered(table$Chisq), df = numbered(table$Df),
       p_value = numbered(table[["Pr(>Chisq)"]]))
}

# A parametric bootstrap of sleepstudy's (Days || Subject) by REML: SDs, sigma and fixed effects of each replicate, as
# their mean, SD and quantiles, and how many replicates are singular.
bootstrapped <- function(replicates) {
  hsb <<- sleep
  model <- fit_at_optimum(cases$sleep$formula, hsb, TRUE)
  values <- function(fit) c(as.data.frame(VarCorr(fit))$sdcor, fixef(fit), isSingular(fit))
  drawn <- suppressMessages(bootMer(model, values, nsim = replicates, seed = 2002))$t
  parameters <- drawn[, 1:5]
  list(replicates = nrow(drawn), parameters = I(c(".sig01", ".sig02", ".sigma", "(Intercept)", "Days")),
       mean = numbered(colMeans(parameters)), sd = numbered(apply(parameters, 2, sd)),
       quantile_10 = numbered(apply(parameters, 2, quantile, 0.1)),
       quantile_90 = numbered(apply(parameters, 2, quantile, 0.9)), singular = sum(drawn[, 6]))
}

# Profiles are left out: those of variances that are not identified have no bounds of their own.
hsb <- schools
overlap_reml <- fit_at_optimum(not_identified, hsb, TRUE)
overlap <- list(formula = not_identified, REML = describe(overlap_reml),
                ML = describe(fit_at_optimum(not_identified, hsb, FALSE)),
                satterthwaite = satterthwaite(overlap_reml), kenward_roger = kenward_roger(overlap_reml))
result <- list(
  about = "Made by tests/reference/independent_blocks.R; see README.md beside this file",
  software = versions(c("lme4", "lmerTest", "pbkrtest")),
  comparison = compared(),
  bootstrap = bootstrapped(1000),
  factor_and_intercept = overlap,
  models = lapply(cases, described)
)
write(toJSON(result, digits = I(17), auto_unbox = TRUE, pretty = 1, na = "null"), output)
