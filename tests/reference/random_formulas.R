# What R and lme4 make of formulas: names and columns of the designs, the rows used, and the REML fit, or R's refusal.
#
#   Rscript tests/reference/random_formulas.R TABLE.csv FORMULAS.txt RESULT.json [ROWS]
#
# README.md beside this file describes the result. ROWS: also write whole designs, to test the comparison itself.

suppressPackageStartupMessages({
  library(lme4)
  library(splines)
  library(jsonlite)
})

SHOWN <- c(1, 3, 5, 7, 9)  # rows whose values are kept; no value is missing in the first ten
LEVELS <- list(arm = c("No", "Yes"), dose = c("low", "mid", "high"), site = c("urban", "rural", "coast", "hill"))

read_rows <- function(path) {
  rows <- read.csv(path, check.names = FALSE, stringsAsFactors = FALSE, na.strings = "")
  for (name in names(LEVELS)) rows[[name]] <- factor(rows[[name]], levels = LEVELS[[name]])
  rows$old <- rows$old == "True"
  rows$g <- factor(rows$g, levels = unique(rows$g))
  rows
}

# lme4 counts random effects to refuse what it thinks too many; a deficient X is refused, not repaired.
checked <- lmerControl(
  check.nobs.vs.rankZ = "ignore", check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore",
  check.nlev.gtr.1 = "ignore", check.nlev.gtreq.5 = "ignore", check.scaleX = "ignore",
  check.rankX = "stop.deficient"
)

# The random-effects design as model.matrix made it, back from the sparse one with a row for each effect of each group.
block_columns <- function(Zt, q, group) {
  sapply(seq_len(q), function(k) Zt[cbind((as.integer(group) - 1) * q + k, seq_along(group))])
}

# Of each column: sum, sum of squares, sum of value times position among the rows used, and single values.
column_sums <- function(columns, shown) {
  position <- seq_len(nrow(columns))
  rbind(colSums(columns), colSums(columns^2), colSums(position * columns), columns[shown, , drop = FALSE])
}

# bobyqa, another optimiser from its end, and bobyqa again; from two starts; the lowest end is kept.
optimum <- function(deviance_function, lower) {
  best <- list(fval = Inf)
  for (diagonal in c(1, 0.2)) {
    end <- list(par = ifelse(lower == 0, diagonal, 0))
    for (optimiser in c("bobyqa", "Nelder_Mead", "bobyqa")) {
      control <- if (optimiser == "bobyqa") list(rhobeg = 0.02, rhoend = 1e-9, maxfun = 1e5) else
        list(FtolAbs = 1e-10, XtolRel = 1e-10, maxfun = 1e5)
      end <- suppressWarnings(optimizeLmer(deviance_function, optimizer = optimiser, start = end$par, control = control))
      if (end$fval < best$fval) best <- end
    }
  }
  deviance_function(best$par)  # leaves the model's state at the end point, where mkMerMod reads it
  best
}

fitted_values <- function(parsed) {
  deviance_function <- do.call(mkLmerDevfun, parsed)
  end <- optimum(deviance_function, parsed$reTrms$lower)
  fit <- mkMerMod(environment(deviance_function), end, parsed$reTrms, fr = parsed$fr)
  list(
    criterion = unbox(REMLcrit(fit)), fixef = unname(fixef(fit)), se = unname(sqrt(diag(as.matrix(vcov(fit))))),
    sigma = unbox(sigma(fit)),
    covariance = unname(lapply(VarCorr(fit), function(block) matrix(block, nrow(block)))),
    singular = unbox(isSingular(fit, tol = 1e-4))
  )
}

made_by_r <- function(text, rows) {
  formula <- as.formula(text)
  parsed <- suppressWarnings(lFormula(formula, rows, REML = TRUE, control = checked))
  used <- match(rownames(parsed$fr), rownames(rows))
  terms <- parsed$reTrms
  shown <- match(SHOWN, used)
  if (anyNA(shown)) stop("a row that is to be shown is dropped")
  columns <- Map(function(Zt, names) block_columns(Zt, length(names), terms$flist[[1]]), terms$Ztlist, terms$cnms)
  offset <- model.offset(parsed$fr)
  c(
    list(
      response = c(column_sums(as.matrix(model.response(parsed$fr)), shown)),
      fixed = I(colnames(parsed$X)), random = unname(lapply(terms$cnms, I)),
      dropped = I(setdiff(seq_len(nrow(rows)), used) - 1),  # positions from 0
      offset = unbox(if (is.null(offset)) 0 else sum(offset)),
      x = t(column_sums(unname(parsed$X), shown)),
      z = unname(lapply(columns, function(block) t(column_sums(as.matrix(block), shown))))
    ),
    if (whole) list(all_x = unname(parsed$X), all_z = unname(lapply(columns, as.matrix)),
                    all_y = unname(model.response(parsed$fr)), used = used - 1),
    fitted_values(parsed)
  )
}

arguments <- commandArgs(trailingOnly = TRUE)
whole <- length(arguments) > 3
rows <- read_rows(arguments[1])
answers <- lapply(readLines(arguments[2], encoding = "UTF-8"), function(text) {
  answer <- tryCatch(made_by_r(text, rows), error = function(e) list(refused = unbox(conditionMessage(e))))
  c(list(formula = unbox(text)), answer)
})
# One formula a line: a difference shows where it is.
lines <- vapply(answers, function(answer) as.character(toJSON(answer, digits = I(12))), "")
writeLines(c("[", paste0(lines, c(rep(",", length(lines) - 1), "")), "]"), arguments[3], useBytes = TRUE)
