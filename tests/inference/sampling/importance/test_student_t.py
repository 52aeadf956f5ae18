from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rheojobs.inference.sampling.importance.student_t import DEGREES_OF_FREEDOM, StudentT


def test_its_density_is_scipys():
    random = np.random.default_rng(0)
    factor = np.tril(random.normal(size=(3, 3))) + 2 * np.eye(3)
    proposal = StudentT(np.array([1.0, -2.0, 0.5]), factor)
    rows = random.normal(size=(20, 3))
    truth = stats.multivariate_t(proposal.mean, factor @ factor.T, DEGREES_OF_FREEDOM)
    np.testing.assert_allclose(proposal.log_density(rows), truth.logpdf(rows))
    rows[3, 1] = np.nan
    assert proposal.log_density(rows)[3] == -np.inf


def test_a_fitted_one_has_the_mean_and_covariance_of_the_rows():
    random = np.random.default_rng(1)
    rows = random.normal(size=(500, 2)) @ np.array([[2.0, 0.0], [1.0, 0.5]])
    drawn = StudentT.fitted(rows).draw(random, 200_000)
    np.testing.assert_allclose(drawn.mean(axis=0), rows.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(rows.T), rtol=0.05)
    with pytest.raises(np.linalg.LinAlgError):
        StudentT.fitted(np.ones((10, 2)))
