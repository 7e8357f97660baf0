"""From a trained run to numbers that can be trusted, figures, and one page that shows them.

Read the files in the order in which the data flows: ``run_folder`` (what training left), ``metrics`` and
``bootstrap`` (how good, how sure), ``calibration`` (are the probabilities true), ``baselines`` (what is it
worth), ``confusion`` and ``examples`` (where does it go wrong), ``evaluate`` (all of that, once),
``results`` and ``predictions`` (what it leaves on the disk), ``figures``, ``page`` and ``report`` (what people look
at). ``during_training`` is the short form that training is handed for its curves.

Nothing here imports a heavy library before it is used.
"""
