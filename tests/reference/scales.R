# Where lme4's default search ends when a predictor is scaled and shifted: three models, 269 fits of each.
#
#   Rscript tests/reference/scales.R [data/hsb_snapshot.csv] [out.csv]
#
# Run from the root of the project. About three minutes. README.md beside this file says what reads the result.

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- dirname(script)
source(file.path(folder, "lme4_common.R"))
snapshot <- if (length(arguments) >= 1) arguments[1] else "data/hsb_snapshot.csv"
output <- if (length(arguments) >= 2) arguments[2] else file.path(folder, "scales.csv")

hsb <- read_hsb(snapshot)
hsb$minority <- as.numeric(hsb$minority == "Yes")
models <- list(
  random_coefficients = list(mathach ~ x + (x | school), hsb, "cses"),
  random_coefficients_minority = list(mathach ~ x + minority + (x + minority | school), hsb, "cses"),
  sleepstudy = list(Reaction ~ x + (x | Subject), sleepstudy, "Days")
)

end_of <- function(name, scale, shift) {
  of <- models[[name]]
  data <- of[[2]]
  data$x <- data[[of[[3]]]] * scale + shift
  fit <- suppressWarnings(suppressMessages(lmer(of[[1]], data)))
  data.frame(model = name, scale = scale, shift = shift, criterion = REMLcrit(fit), evaluations = fit@optinfo$feval)
}

# The condition number of Z, in its own units.
condition <- function(name, scale, shift) {
  of <- models[[name]]
  z <- cbind(1, of[[2]][[of[[3]]]] * scale + shift, if (name == "random_coefficients_minority") of[[2]]$minority)
  kappa(z, exact = TRUE)
}

# Where Z is well conditioned: scales and shifts at random.
drawn <- function(name, count) {
  rows <- data.frame()
  while (nrow(rows) < count) {
    scale <- signif(10^runif(1, -1.3, 1.3), 6)
    shift <- sample(0:1, 1) * signif(rnorm(1, sd = 5), 6)
    if (condition(name, scale, shift) <= 25) rows <- rbind(rows, end_of(name, scale, shift))
  }
  rows
}

grid <- rbind(
  data.frame(scale = signif(10^seq(-2, 2, by = 0.125), 6), shift = 0),
  expand.grid(shift = c(-30, -10, -5, -2, -1, 1, 2, 5, 10, 20, 30, 50), scale = c(0.3, 1, 3))
)
on_grid <- lapply(seq_len(nrow(grid)), function(i) {
  do.call(rbind, lapply(names(models), end_of, scale = grid$scale[i], shift = grid$shift[i]))
})
set.seed(5)
table <- do.call(rbind, c(on_grid, lapply(names(models), drawn, count = 200)))
table$criterion <- sprintf("%.6f", table$criterion)
write.csv(table, output, row.names = FALSE, quote = FALSE)
