"""Scalings and components against scikit-learn and by hand."""

import numpy as np
import pytest

from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.scaling import ConstantInputError, best_power, fit_encoder, yeo_johnson

RNG = np.random.default_rng(8)
RAW = np.stack([RNG.lognormal(0, 0.7, 3_000), RNG.normal(5, 2, 3_000), RNG.standard_t(3, 3_000)], axis=1)


def test_robust_is_median_and_interquartile_range_clipped_at_five() -> None:
    values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [1000.0], [-1000.0]])
    encoder = fit_encoder([Input("r5")], values, 1)  # sorted -1000 1 2 3 4 5 1000: quartiles 1.5, 3, 4.5
    np.testing.assert_allclose(encoder.scaled(values)[:, 0], [-2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 5, -5])


def test_an_input_without_interquartile_range_is_divided_by_its_deviation() -> None:
    flags = np.array([[0.0]] * 90 + [[1.0]] * 10)
    encoder = fit_encoder([Input("is_midday")], flags, 1)
    assert encoder.scale[0] == pytest.approx(0.3)


def test_standard_and_yeo_johnson_are_those_of_scikit_learn() -> None:
    from sklearn.preprocessing import PowerTransformer, StandardScaler

    encoder = fit_encoder([Input("r5", "standard"), Input("r15", "yeo-johnson"), Input("r60", "yeo-johnson")], RAW, 3)
    scaled = encoder.scaled(RAW)
    np.testing.assert_allclose(scaled[:, :1], np.clip(StandardScaler().fit_transform(RAW[:, :1]), -5, 5), rtol=1e-9)
    theirs = PowerTransformer("yeo-johnson").fit(RAW[:, 1:])
    np.testing.assert_allclose(encoder.power[1:], theirs.lambdas_, atol=1e-4)
    np.testing.assert_allclose(scaled[:, 1:], np.clip(theirs.transform(RAW[:, 1:]), -5, 5), atol=2e-3)


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_yeo_johnson_follows_its_formula(power: float) -> None:
    x = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    expected = [
        ((v + 1) ** power - 1) / power
        if v >= 0 and power
        else np.log(v + 1)
        if v >= 0
        else -((1 - v) ** (2 - power) - 1) / (2 - power)
        if power != 2
        else -np.log(1 - v)
        for v in x
    ]
    np.testing.assert_allclose(yeo_johnson(x, power), expected, atol=1e-15)


def test_a_normal_sample_needs_no_power() -> None:
    assert best_power(RNG.normal(0, 1, 20_000)) == pytest.approx(1, abs=0.05)


def test_components_are_those_of_scikit_learn_but_for_their_sign() -> None:
    from sklearn.decomposition import PCA

    inputs = [Input("r5"), Input("r15"), Input("r60")]
    encoder = fit_encoder(inputs, RAW, 2)
    theirs = PCA(2).fit(encoder.scaled(RAW)).components_
    np.testing.assert_allclose(np.abs((encoder.components * theirs).sum(axis=1)), 1, rtol=1e-9)
    assert (encoder.components[np.arange(2), np.abs(encoder.components).argmax(axis=1)] > 0).all()
    np.testing.assert_allclose(encoder(RAW).mean(axis=0), 0, atol=1e-12)


def test_constants_are_named_and_rounding_is_no_variance() -> None:
    raw = np.stack([np.full(100, 0.1), RNG.normal(size=100), np.full(100, 1e6) + RNG.choice([0, 1e-10], 100)], axis=1)
    with pytest.raises(ConstantInputError, match="r5, r60 do not vary"):
        fit_encoder([Input("r5"), Input("r15"), Input("r60")], raw, 2)
