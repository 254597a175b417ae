"""What people look at: pages and reports as HTML, numbers and moments in words, one style for light and dark.

Pure: values in, text out. No template executes or trusts what portals, hosts or volunteers wrote: every
value is escaped, control characters are made visible, and a link leads outside only by http, https or ftp.
Pages are whole without scripts; scripts only add to them.
"""
