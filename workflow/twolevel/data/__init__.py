"""A table and what a person chose: obtained, checked, completed. Uses no other package.

yaml_text, config          the configuration, checked: its text, then its form and its names
source, columns, derive    the table: read, checked column by column, columns made from others
fingerprint                what a result was computed from
"""
