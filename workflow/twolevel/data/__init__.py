"""A table and what a person chose: obtained, checked, completed. Uses no other package.

yaml_text, config          the configuration, checked: its text, then its form and its names
download, source           the table: its file obtained, and read by text_files, r_files, labelled_files, arrow_files, sheets
reading                    what reading gives, and what a person may say of it
kinds, columns             the table checked column by column; look_alikes: identifiers that may be one
recipes                    what can be made of columns
fingerprint                what a result was computed from
"""
