"""The extra indicators a profile may declare: their kinds, a closed table of what pandas-ta-classic computes.

Every kind works on candles alone, never looks ahead, and gives the same value from a full window as from the
whole past. Left out is what sums from the first candle on (obv, ad, pvt, …: it would differ from minute to
minute), what needs a calendar, a second series or a setting that is no number, and the slow ht_….
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 200
"""Candles a parameter may span: beyond it a window of 990 no longer gives what the whole past gives."""

LARGEST = 1000.0
VALUE = "value"
"""How a formula may call the column of an indicator that has only one."""


@dataclass(frozen=True)
class Kind:
    """`inputs`: letters of open, high, low, close, volume. `columns`: the library's names without the
    parameters they carry, lower case. `params`: every parameter a profile may set, with its default; it is
    whole where the default is."""

    inputs: str
    columns: tuple[str, ...]
    params: Mapping[str, int | float]


@dataclass(frozen=True)
class Extra:
    """An extra indicator as a profile declares it; `params` holds every parameter of `kind`, in its order.

    Equal extras are one column set.
    """

    kind: str
    params: tuple[tuple[str, int | float], ...]

    @property
    def name(self) -> str:
        """Return what its columns are known by in a frame, whatever a profile calls it."""
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.params)})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of its frame columns: "supertrend(length=10, multiplier=3.0).supert", …"""
        return tuple(f"{self.name}.{column}" for column in KINDS[self.kind].columns)

    def column(self, formula_name: str) -> str | None:
        """Return the frame column that a formula writes as `formula_name`; None when there is none."""
        columns = KINDS[self.kind].columns
        name = columns[0] if formula_name == VALUE and len(columns) == 1 else formula_name
        return f"{self.name}.{name}" if name in columns else None

    def formula_names(self) -> tuple[str, ...]:
        """Return what a formula may write after the dot."""
        columns = KINDS[self.kind].columns
        return (*columns, VALUE) if len(columns) == 1 else columns

    def content(self) -> dict[str, str | int | float]:
        """Return the declaration, loadable again, defaults written out."""
        return {"kind": self.kind, **dict(self.params)}


def extra_of_kind(kind: str, params: Mapping[str, int | float]) -> Extra:
    """Return the extra of a known `kind` with `params` over its defaults, all of which have been checked."""
    defaults = KINDS[kind].params
    chosen = {**defaults, **params}
    return Extra(kind, tuple((name, type(defaults[name])(chosen[name])) for name in defaults))


def extras_of_columns(columns: Iterable[str]) -> tuple[Extra, ...]:
    """Return the extras that frame columns so named belong to, each once, by name."""
    names = sorted({column.rpartition(").")[0] for column in columns if is_extra_column(column)})
    extras = []
    for name in names:  # as Extra.name writes it, without its closing bracket
        kind, _, listed = name.partition("(")
        params = [pair.partition("=") for pair in listed.split(", ") if pair]
        extras.append(extra_of_kind(kind, {key: float(value) for key, _, value in params}))
    return tuple(extras)


def is_extra_column(column: str) -> bool:
    """Whether a frame column of this name is an extra's, and not one that every frame has."""
    return ")." in column


def parameter_bounds(kind: Kind, name: str) -> tuple[float, float]:
    """Return the least and the largest value of a whole parameter, or what any other must lie between."""
    default = kind.params[name]
    if isinstance(default, int):
        return min(2, default), LONGEST
    return 0, 1 if default < 1 else LARGEST


def parameter_fault(kind: Kind, name: str, value: object) -> str | None:
    """Return what is wrong with `value` as the parameter `name`; None when it fits."""
    least, largest = parameter_bounds(kind, name)
    if isinstance(kind.params[name], int):
        fits = type(value) is int and least <= value <= largest
        return None if fits else f"{str(value)[:80]!r} is not a whole number {least:g}…{largest:g}"
    inside = type(value) in (int, float) and least < value < largest  # type: ignore[operator]  # a number by its type
    return None if inside else f"{str(value)[:80]!r} is not a number between {least:g} and {largest:g}"


def _kind(inputs: str, columns: str, **params: int | float) -> Kind:
    return Kind(inputs, tuple(columns.split()), params)


KINDS: Mapping[str, Kind] = {
    "aberration": _kind("hlc", "aber_zg aber_sg aber_xg aber_atr", length=5, atr_length=15),
    "accbands": _kind("hlc", "accbl accbm accbu", length=20, c=4.0),
    "adosc": _kind("hlcv", "adosc", fast=3, slow=10),
    "adx": _kind("hlc", "adx dmp dmn", length=14),
    "adxr": _kind("hlc", "adxr dmp dmn", length=14),
    "alma": _kind("c", "alma", length=10, sigma=6.0, distribution_offset=0.85),
    "amat": _kind("c", "amate_lr amate_sr", fast=8, slow=21, lookback=2),
    "ao": _kind("hl", "ao", fast=5, slow=34),
    "apo": _kind("c", "apo", fast=12, slow=26),
    "aroon": _kind("hl", "aroond aroonu aroonosc", length=14),
    "atr": _kind("hlc", "atrr", length=14),
    "avgprice": _kind("ohlc", "avgprice"),
    "avolume": _kind("c", "avolume", length=20),
    "bbands": _kind("c", "bbl bbm bbu bbb bbp", length=5, std=2.0),
    "bias": _kind("c", "bias_sma", length=26),
    "bop": _kind("ohlc", "bop"),
    "brar": _kind("ohlc", "ar br", length=26),
    "cci": _kind("hlc", "cci", length=14, c=0.015),
    "ce": _kind("hlc", "ce_l ce_s", length=22, multiplier=3.0),
    "cfo": _kind("c", "cfo", length=9),
    "cg": _kind("c", "cg", length=10),
    "chop": _kind("hlc", "chop", length=14, atr_length=1),
    "cksp": _kind("hlc", "ckspl cksps", p=10, x=3.0, q=20),
    "cmf": _kind("hlcv", "cmf", length=20),
    "cmo": _kind("c", "cmo", length=14),
    "coppock": _kind("c", "copc", length=10, fast=11, slow=14),
    "cti": _kind("c", "cti", length=12),
    "cvi": _kind("hl", "cvi", length=10),
    "decay": _kind("c", "ldecay"),
    "decreasing": _kind("c", "dec", length=1),
    "dema": _kind("c", "dema", length=10),
    "dm": _kind("hl", "dmp dmn", length=14),
    "donchian": _kind("hl", "dcl dcm dcu", lower_length=20, upper_length=20),
    "dsp": _kind("c", "dsp", length=14),
    "dx": _kind("hlc", "dx", length=14),
    "ebsw": _kind("c", "ebsw", bars=10),
    "edecay": _kind("c", "edecay"),
    "efi": _kind("cv", "efi", length=13),
    "ema": _kind("c", "ema", length=10),
    "emv": _kind("hlv", "emv"),
    "entropy": _kind("c", "entp", length=10, base=2.0),
    "eom": _kind("hlcv", "eom", length=14),
    "er": _kind("c", "er", length=10),
    "eri": _kind("hlc", "bullp bearp", length=13),
    "fisher": _kind("hl", "fishert fisherts", length=9, signal=1),
    "fosc": _kind("c", "fosc", length=14),
    "fwma": _kind("c", "fwma", length=10),
    "hilo": _kind("hlc", "hilo hilol hilos", high_length=13, low_length=21),
    "hl2": _kind("hl", "hl2"),
    "hlc3": _kind("hlc", "hlc3"),
    "hma": _kind("c", "hma", length=10),
    "hvol": _kind("c", "hvol", length=20, annualization=252.0),
    "hwc": _kind("c", "hwm hwu hwl", na=0.2, nb=0.1, nc=0.1, nd=0.1),
    "hwma": _kind("c", "hwma", na=0.2, nb=0.1, nc=0.1),
    "increasing": _kind("c", "inc", length=1),
    "inertia": _kind("c", "inertia", length=20, rvi_length=14),
    "jma": _kind("c", "jma", length=7),
    "kama": _kind("c", "kama", length=10, fast=2, slow=30),
    "kc": _kind("hlc", "kcle kcbe kcue", length=20, scalar=2.0),
    "kdj": _kind("hlc", "k d j", length=9, signal=3),
    "kst": _kind(
        "c", "kst ksts", roc1=10, roc2=15, roc3=20, roc4=30, sma1=10, sma2=10, sma3=10, sma4=15, signal=9
    ),
    "kurtosis": _kind("c", "kurt", length=30),
    "kvo": _kind("hlcv", "kvo kvos", fast=34, slow=55, signal=13),
    "linreg": _kind("c", "lr", length=14),
    "linregangle": _kind("c", "lra", length=14),
    "linregintercept": _kind("c", "lrb", length=14),
    "linregslope": _kind("c", "lrm", length=14),
    "lrsi": _kind("c", "lrsi", gamma=0.5),
    "macd": _kind("c", "macd macdh macds", fast=12, slow=26, signal=9),
    "mad": _kind("c", "mad", length=30),
    "mama": _kind("c", "mama fama", fastlimit=0.5, slowlimit=0.05),
    "marketfi": _kind("hlv", "marketfi"),
    "massi": _kind("hl", "massi", fast=9, slow=25),
    "mcgd": _kind("c", "mcgd", length=10),
    "md": _kind("c", "md", length=30),
    "median": _kind("c", "median", length=30),
    "medprice": _kind("hl", "medprice"),
    "mfi": _kind("hlcv", "mfi", length=14),
    "midpoint": _kind("c", "midpoint", length=2),
    "midprice": _kind("hl", "midprice", length=2),
    "minus_dm": _kind("hl", "minus_dm", length=14),
    "mom": _kind("c", "mom", length=10),
    "msw": _kind("c", "msw_sine msw_lead", period=5),
    "natr": _kind("hlc", "natr", length=14),
    "ohlc4": _kind("ohlc", "ohlc4"),
    "pdist": _kind("ohlc", "pdist"),
    "pgo": _kind("hlc", "pgo", length=14),
    "plus_dm": _kind("hl", "plus_dm", length=14),
    "pmax": _kind("hlc", "pmax_e", length=10, multiplier=3.0),
    "po": _kind("c", "po", length=14),
    "ppo": _kind("c", "ppo ppoh ppos", fast=12, slow=26, signal=9),
    "psar": _kind("hlc", "psarl psars psaraf psarr", af=0.02, max_af=0.2),
    "psl": _kind("c", "psl", length=12),
    "pvo": _kind("v", "pvo pvoh pvos", fast=12, slow=26, signal=9),
    "pvol": _kind("cv", "pvol"),
    "pvr": _kind("cv", "pvr"),
    "pwma": _kind("c", "pwma", length=10),
    "qqe": _kind("c", "qqe qqe_rsima qqel qqes qqeb_l qqeb_s qqed", length=14, smooth=5, factor=4.236),
    "qstick": _kind("oc", "qs", length=10),
    "quantile": _kind("c", "qtl", length=30, q=0.5),
    "rma": _kind("c", "rma", length=10),
    "roc": _kind("c", "roc", length=10),
    "rocp": _kind("c", "rocp", length=10),
    "rocr": _kind("c", "rocr", length=10),
    "rocr100": _kind("c", "rocr100", length=10),
    "rsi": _kind("c", "rsi", length=14),
    "rsx": _kind("c", "rsx", length=14),
    "rvgi": _kind("ohlc", "rvgih rvgi rvgis", length=14, swma_length=4),
    "rvi": _kind("c", "rvi", length=14),
    "sinwma": _kind("c", "sinwma", length=14),
    "skew": _kind("c", "skew", length=30),
    "slope": _kind("c", "slope", length=1),
    "sma": _kind("c", "sma", length=10),
    "smc_sweep": _kind("ohlc", "smc_sweep", length=15, wick_mult=1.5),
    "smi": _kind("c", "smi smis smio", fast=5, slow=20, signal=5),
    "squeeze": _kind(
        "hlc",
        "sqz sqz_on sqz_off sqz_no",
        bb_length=20,
        bb_std=2.0,
        kc_length=20,
        kc_scalar=1.5,
        mom_length=12,
        mom_smooth=6,
    ),
    "squeeze_pro": _kind(
        "hlc",
        "sqzpro sqzpro_on_wide sqzpro_on_normal sqzpro_on_narrow sqzpro_off sqzpro_no",
        bb_length=20,
        bb_std=2.0,
        kc_length=20,
        kc_scalar_wide=2.0,
        kc_scalar_normal=1.5,
        kc_scalar_narrow=1.0,
        mom_length=12,
        mom_smooth=6,
    ),
    "ssf": _kind("c", "ssf", length=10),
    "stc": _kind("c", "stc stcmacd stcstoch", tclength=10, fast=12, slow=26, factor=0.5),
    "stderr": _kind("c", "stderr", length=14),
    "stdev": _kind("c", "stdev", length=30),
    "stoch": _kind("hlc", "stochk stochd", k=14, d=3, smooth_k=3),
    "stochf": _kind("hlc", "stochfk stochfd", fastk=5, fastd=3),
    "stochrsi": _kind("c", "stochrsik stochrsid", length=14, rsi_length=14, k=3, d=3),
    "supertrend": _kind("hlc", "supert supertd supertl superts", length=7, multiplier=3.0),
    "swma": _kind("c", "swma", length=10),
    "t3": _kind("c", "t3", length=10, a=0.7),
    "td_seq": _kind("c", "td_seq_upa td_seq_dna"),
    "tema": _kind("c", "tema", length=10),
    "thermo": _kind("hl", "thermo thermoma thermol thermos", length=20, long=2.0, short=0.5),
    "trima": _kind("c", "trima", length=10),
    "trix": _kind("c", "trix trixs", length=30, signal=9),
    "true_range": _kind("hlc", "truerange"),
    "tsf": _kind("c", "tsf", length=14),
    "tsi": _kind("c", "tsi tsis", fast=13, slow=25, signal=13),
    "ttm_trend": _kind("hlc", "ttm_trnd", length=6),
    "typprice": _kind("hlc", "typprice"),
    "ui": _kind("c", "ui", length=14),
    "uo": _kind("hlc", "uo", fast=7, medium=14, slow=28, fast_w=4.0, medium_w=2.0, slow_w=1.0),
    "variance": _kind("c", "var", length=30),
    "vfi": _kind("cv", "vfi", length=130),
    "vhf": _kind("c", "vhf", length=28),
    "vidya": _kind("c", "vidya", length=14),
    "vortex": _kind("hlc", "vtxp vtxm", length=14),
    "vosc": _kind("v", "vosc", fast=14, slow=28),
    "vwma": _kind("cv", "vwma", length=10),
    "vwmacd": _kind("cv", "vwmacd vwmacdh vwmacds", fast=12, slow=26, signal=9),
    "wcp": _kind("hlc", "wcp"),
    "willr": _kind("hlc", "willr", length=14),
    "wma": _kind("c", "wma", length=10),
    "zlma": _kind("c", "zl_ema", length=10),
    "zscore": _kind("c", "zs", length=30),
}
