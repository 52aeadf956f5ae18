"""Starts a fit or a sampling at a click, and shows its progress and its result."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Signal

from rheojobs.engine.events import Progress
from rheojobs.errors import InputError
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.page import RunStart
from rheojobs.qt.app.pages.page_tabs import PageTabs
from rheojobs.qt.app.pages.posterior_page import PosteriorPage
from rheojobs.qt.app.pages.priors_page import PriorsPage
from rheojobs.qt.app.reports import fit_report, posterior_report
from rheojobs.qt.app.session import WindowSession
from rheojobs.qt.app.settings.model_configuration import ModelConfiguration
from rheojobs.qt.widgets.jobs.run_panel import RunPanel
from rheojobs.qt.widgets.model.parameter_model import ParameterModel

__all__ = ["Runs"]


class Runs(QObject):
    """The fits and samplings that the panel starts, one at a time.

    Parameters
    ----------
    session : WindowSession
        Runs the job.
    panel : RunPanel
        Its buttons start and stop the run.
    tabs : PageTabs
        Show the run.
    parameters : ParameterModel
        Has the initial values, and shows the estimates.
    configuration : ModelConfiguration
        Has the model with its settings.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    locked : Signal(bool)
        Data and model are locked while a job works on them, or no longer locked.
    """

    locked = Signal(bool)

    def __init__(
        self,
        session: WindowSession,
        panel: RunPanel,
        tabs: PageTabs,
        parameters: ParameterModel,
        configuration: ModelConfiguration,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._panel, self._tabs = session, panel, tabs
        self._parameters, self._configuration = parameters, configuration
        panel.fit_button.clicked.connect(self._fit)
        panel.sample_button.clicked.connect(self._sample)
        panel.cancel_button.clicked.connect(self._cancel)
        panel.pause_button.clicked.connect(self._pause_or_resume)
        panel.options.changed.connect(self._show_ties)
        session.reported.connect(self._on_reported)
        session.paused_changed.connect(panel.set_paused)
        session.fitted.connect(self._on_succeeded)
        session.sampled.connect(self._on_succeeded)
        session.failed.connect(self._on_failed)
        session.cancelled.connect(self._on_cancelled)
        session.released.connect(self._end)
        panel.message.linkActivated.connect(self._show_more)
        self._of_posterior = False

    def show_result(self, result: FitResult | BayesianResult) -> None:
        """Show the result of a fit or a sampling in the pages and as a message."""
        self._show(result)
        self._of_posterior = isinstance(result, BayesianResult)
        if isinstance(result, FitResult):
            self._panel.message.say(*fit_report(result))
        else:
            self._panel.message.say(*posterior_report(result))

    def _show_more(self, _: str) -> None:
        """Show the warnings to which the message has a link."""
        if self._of_posterior:
            self._tabs.page(PosteriorPage).come_forward()
        else:
            self._tabs.page(FitPage).show_report()

    # ---------------------------------------------------------------- buttons

    def _fit(self) -> None:
        model = self._configuration.model
        if model is None:
            return
        parameters = self._parameters
        try:
            options = parameters.fit_options() | self._panel.fit_options()
        except InputError as error:
            self._panel.message.say("error", str(error))
            return
        self._panel.begin_fit(self.tr("Fit of {model}").format(model=model.label))
        self._begin(RunStart("fit", model))
        self._session.fit(model, parameters.given_values(), options)

    def _sample(self) -> None:
        model, panel, editor = self._configuration.model, self._panel, self._tabs.page(PriorsPage)
        try:
            # An editor that was never shown has the defaults, on the present bounds.
            priors = editor.view.priors()
        except InputError as error:
            panel.message.say("error", str(error))
            editor.come_forward()
            return
        if model is None:
            return
        try:
            options = self._sample_options()
        except InputError as error:
            panel.message.say("error", str(error))
            return
        panel.begin_sampling(self.tr("Sampling of {model}").format(model=model.label))
        self._begin(RunStart("sampling", model, panel.until_ess()))
        self._session.sample(
            model,
            {"priors": priors} | self._parameters.fit_options() | options,
        )

    def _sample_options(self) -> dict[str, Any]:
        """Return the options of a sampling; raise `InputError` if the fit's cannot hold for it."""
        if self._panel.fit_options().get("tied"):
            raise InputError("parameters can be tied in fits only: remove the ties to sample")
        return self._panel.sample_options()

    def _begin(self, run: RunStart) -> None:
        self.locked.emit(True)
        for page in self._tabs.pages:
            page.run_began(run)

    def _show_ties(self) -> None:
        try:
            ties = self._panel.options.ties.values()
        except InputError:
            ties = {}  # the dialog says what is wrong
        self._parameters.set_ties(ties)

    def _cancel(self) -> None:
        if self._session.cancel():
            self._panel.set_status(self.tr("Stopping…"))

    def _pause_or_resume(self) -> None:
        if self._session.is_paused:
            self._session.resume()
        elif self._session.pause():
            self._panel.set_status(self.tr("Pausing…"))

    # ---------------------------------------------------------------- progress and result

    def _on_reported(self, progress: Progress) -> None:
        self._panel.take_progress(progress)
        for page in self._tabs.pages:
            page.progressed(progress)

    def _on_succeeded(self, result: FitResult | BayesianResult) -> None:
        self._end()
        self.show_result(result)

    def _on_failed(self, message: str) -> None:
        self._end()
        self._panel.message.say("error", message)

    def _on_cancelled(self, partial: object) -> None:
        self._end()
        kept = ""
        if isinstance(partial, FitResult):
            self._show(partial)
            kept = self.tr("the best parameters so far are shown")
        elif isinstance(partial, BayesianResult):
            self._show(partial)
            kept = self.tr("{chains} × {draws} draws are kept").format(
                chains=partial.num_chains, draws=partial.num_samples
            )
        stopped = self.tr("Stopped")
        self._panel.message.say("info", f"{stopped}; {kept}." if kept else f"{stopped}.")

    def _show(self, result: FitResult | BayesianResult) -> None:
        if isinstance(result, FitResult):
            self._parameters.show_fit(result)
        else:
            self._parameters.show_posterior(result)
        for page in self._tabs.pages:
            page.result_shown(result)

    def _end(self) -> None:
        self.locked.emit(False)
        self._panel.end()
        for page in self._tabs.pages:
            page.run_ended()
        self._session.prewarm(self._configuration.model)  # after a fit, for its sampling
