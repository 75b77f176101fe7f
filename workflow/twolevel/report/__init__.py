"""The report: results that are already read become numbers, words and one page; no file is touched.

May use every other package.
"""
