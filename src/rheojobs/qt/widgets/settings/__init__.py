"""The panel of all options of a run, and of the settings of the model; made from declarations."""
