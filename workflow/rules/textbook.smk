# Raudenbush and Bryk's chapter 4 as its tables lay it out, with each coding of the school mean of SES.

TEXTBOOK = []
