"""The three protocols the sample speaks: each rewords the publishers' records and answers its own paths.

Rewording keeps what the real services keep and loses what they lose, so a driver that
reads the sample has met the real thing's habits.
"""
