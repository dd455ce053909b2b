# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands, a module each.

A module has NAME; HELP, one line; TEXT and EXAMPLES, for --help; Request, the
options as a dataclass, which says how argparse reads them (add()) and what is
wrong with them (check()); run(context, request), which returns the exit
status.  A request has the fields that its command's options have, no others.
"""
