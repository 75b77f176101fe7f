# R: pbkrtest's PBmodcomp, or lme4's confint(method = "boot"), as the vignette has them.
#
#     Rscript benchmarks/r_lme4.R SNAPSHOT test|intervals SAMPLES RESPONSES CHECKED
#
# prints JSON. RESPONSES is a directory with <task>.f64, responses one after the other as little-endian doubles: the first
# CHECKED of them are refitted, to see whether the optimum is found. The clock of `seconds` runs over the bootstrap alone,
# after a warm-up of two samples; `process` is the time since R was started, the warm-up left out.

suppressPackageStartupMessages({
  library(lme4)
  library(pbkrtest)
  library(jsonlite)
})
options(mc.cores = 1)

arguments <- commandArgs(trailingOnly = TRUE)
task <- arguments[2]
samples <- as.integer(arguments[3])
checked <- as.integer(arguments[5])
hsb <- read.csv(arguments[1], colClasses = c(school = "character"))
hsb$minority <- factor(hsb$minority, levels = c("No", "Yes"))
file <- file.path(arguments[4], paste0(task, ".f64"))
responses <- matrix(readBin(file, "double", n = checked * nrow(hsb), endian = "little"), ncol = checked)

if (task == "test") {
  full <- lmer(mathach ~ cses + minority + (1 | school), hsb, REML = FALSE)
  null <- lmer(mathach ~ cses + (1 | school), hsb, REML = FALSE)
  run <- function(n) PBmodcomp(full, null, nsim = n, seed = 1)$ref
  refit_one <- function(y) as.numeric(2 * (logLik(refit(full, y)) - logLik(refit(null, y))))
  how <- "PBmodcomp"
} else {
  slopes <- lmer(mathach ~ cses + (cses | school), hsb)
  # lower and upper bounds in two rows: confint keeps no replicates
  run <- function(n) t(confint(slopes, method = "boot", nsim = n, seed = 1, quiet = TRUE))
  refit_one <- function(y) {
    found <- refit(slopes, y)
    effects <- VarCorr(found)$school
    sd <- attr(effects, "stddev")
    c(sd[1], attr(effects, "correlation")[2, 1], sd[2], sigma(found), fixef(found))
  }
  how <- "confint(method = \"boot\")"
}

suppressWarnings(suppressMessages({
  warm_up <- system.time(run(2))[["elapsed"]]
  seconds <- system.time(values <- run(samples))[["elapsed"]]
  process <- proc.time()[["elapsed"]] - warm_up
  refits <- lapply(seq_len(checked), function(i) unname(refit_one(responses[, i])))
}))
values <- if (task == "test") as.numeric(values) else unname(values)
versions <- sprintf("lme4 %s, pbkrtest %s, R %s", packageVersion("lme4"), packageVersion("pbkrtest"), getRversion())
result <- list(task = task, how = how, threads = 1, samples = samples, repeats = 1, seconds = seconds, process = process,
               refits = if (task == "test") unlist(refits) else do.call(rbind, refits))
result[[if (task == "test") "values" else "bounds"]] <- values
cat(toJSON(list(version = versions, results = list(result)), digits = NA, auto_unbox = TRUE))
