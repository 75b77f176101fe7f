"""A table and what a person chose: obtained, checked, completed. Uses no other package.

yaml_text, config          the configuration, checked: its text, then its form and its names
download                   the file with the table, where it comes from the network
source                     the table, read by text_files, r_files, labelled_files, arrow_files or sheets
reading                    what reading gives, and what a person may say of it
kinds, columns             the table checked column by column; look_alikes: identifiers that may be one
descriptives               what a paper's first table says of the columns
recipes                    what can be made of columns
fingerprint                what a result was computed from
"""
