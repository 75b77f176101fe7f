# The file files/wards.sas7bdat: haven's writer, which SAS itself may refuse, is the only free one. In this folder:
#   Rscript wards_sas7bdat.R
library(haven)
wards <- data.frame(
  ward = c("07", "07", "8", "8"),
  arm = c("No", "Yes", "Yes", ""),
  score = c(1.5, -2, NA, 4.25),
  note = c("\u00e9", "two words", "c", "d")
)
suppressWarnings(write_sas(wards, "files/wards.sas7bdat"))
