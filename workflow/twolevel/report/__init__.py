"""The report: results that are already read become numbers, words and one page; no file is touched.

May use every other package. `contents` brings everything together, `page` fills the templates; `study` says what a
study may add.
"""
