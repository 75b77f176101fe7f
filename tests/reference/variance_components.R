# Reliability, chi-square test, intraclass correlation and R2 of five models, from a regression in each school.
#
#   Rscript tests/reference/variance_components.R [data/hsb_snapshot.csv] [out.json]
#
# Run from the root of the project. The estimates are lme4's, from lme4_reference.json; the rest is base R. README.md
# beside this file says what reads the result.

suppressPackageStartupMessages(library(jsonlite))

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- dirname(script)
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else file.path(folder, "variance_components.json")

hsb <- read.csv(snapshot, colClasses = c(school = "character"))
hsb$minority <- as.numeric(hsb$minority == "Yes")
hsb$catholic <- as.numeric(hsb$sector == "Catholic")
hsb$mean.ses <- ave(hsb$ses, hsb$school)
hsb$cses <- hsb$ses - hsb$mean.ses
fits <- fromJSON(file.path(folder, "lme4_reference.json"))$models

# Each model as its two levels: the level-1 regression whose coefficients vary, what their fixed slopes (g, in
# lme4's order) take out of y first, and what each coefficient is predicted by. `all` is the whole of X.
models <- list(
  one_way_anova = list(
    level1 = ~ 1, out = function(s, g) 0, predicted = function(s, g) g[1], predictors = 0, all = ~ 1
  ),
  means_by_sector_and_mean_ses = list(
    level1 = ~ 1, out = function(s, g) 0, predictors = 2, all = ~ catholic + mean.ses,
    predicted = function(s, g) g[1] + g[2] * s$catholic[1] + g[3] * s$mean.ses[1]
  ),
  random_intercept_minority = list(
    level1 = ~ 1, out = function(s, g) g[2] * s$cses + g[3] * s$minority,
    predicted = function(s, g) g[1], predictors = 0, all = ~ cses + minority
  ),
  random_coefficients_minority = list(
    level1 = ~ cses + minority, out = function(s, g) 0,
    predicted = function(s, g) g, predictors = c(0, 0, 0), all = ~ cses + minority
  ),
  # (Intercept), cses, mean.ses, sectorCatholic, cses:mean.ses, cses:sectorCatholic
  intercepts_and_slopes = list(
    level1 = ~ cses, out = function(s, g) 0, predictors = c(2, 2),
    predicted = function(s, g) c(g[1] + g[3] * s$mean.ses[1] + g[4] * s$catholic[1],
                                 g[2] + g[5] * s$mean.ses[1] + g[6] * s$catholic[1]),
    all = ~ cses + mean.ses + catholic + cses:mean.ses + cses:catholic
  )
)

components <- function(name) {
  model <- models[[name]]
  fit <- fits[[name]]$REML
  gamma <- fit$fixed_effects$estimate
  covariance <- as.matrix(fit$random_effects_covariance)
  schools <- lapply(split(hsb, hsb$school), function(school) {
    school$left <- school$mathach - model$out(school, gamma)
    own <- lm(update(model$level1, left ~ .), school)
    if (anyNA(coef(own))) return(NULL)
    v <- fit$sigma^2 * diag(summary(own)$cov.unscaled)
    list(h = (coef(own) - model$predicted(school, gamma))^2 / v,
         reliability = diag(covariance) / (diag(covariance) + v))
  })
  usable <- Filter(Negate(is.null), schools)
  h <- Reduce(`+`, lapply(usable, `[[`, "h"))
  df <- length(usable) - model$predictors - 1
  z <- model.matrix(model$level1, hsb)
  fixed <- var(drop(model.matrix(model$all, hsb) %*% gamma))
  random <- mean(rowSums((z %*% covariance) * z))
  list(
    usable_groups = length(usable),
    reliability = unname(Reduce(`+`, lapply(usable, `[[`, "reliability"))) / length(usable),
    chi_square = unname(h), df = df, p_value = unname(pchisq(h, df, lower.tail = FALSE)),
    shares = lapply(list(
      intraclass_correlation = random / (random + fit$sigma^2),
      r2_marginal = fixed / (fixed + random + fit$sigma^2),
      r2_conditional = (fixed + random) / (fixed + random + fit$sigma^2)
    ), unbox)
  )
}

result <- sapply(names(models), components, simplify = FALSE)
writeLines(toJSON(result, digits = I(15), pretty = TRUE), output)
