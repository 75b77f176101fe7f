"""Simulated data sets and what follows from them. May use the packages up to inference.

streams, simulate, replicates       random numbers; simulated cross-products; models fitted to them
experiment, replicate_tables        a bootstrap in parts that jobs share; its replicates as tables
likelihood_ratio_tests              tests from a simulated reference distribution
calibration, type_1_error,          data sets simulated from a fit, each with a bootstrap of its own: how often true
coverage                            null models are rejected and true values covered
"""
