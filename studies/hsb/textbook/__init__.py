"""Raudenbush and Bryk's chapter 4 as its tables lay it out, with each coding of the school mean of SES.

codings    the ways to code it
fits       the book's models in each coding, as tables
section    what the report shows of them
"""
