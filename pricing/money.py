"""Currencies and the one place where an amount of money is rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

# ISO 4217, active codes of circulating currencies, by their number of minor digits:
# https://www.iso.org/iso-4217-currency-codes.html
_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
    CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
    TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_MINOR_DIGITS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}

#: The currency codes a plan may name.
CURRENCIES = frozenset(_MINOR_DIGITS)

#: The context all exact arithmetic runs in, whatever the caller's own: 40 digits, so that sums of thirds of a month
#: stay far below the twelfth decimal.
EXACT = Context(prec=40)

_TAIL = Decimal("1e-12")


def money(amount: Decimal, currency: str) -> Decimal:
    """An amount as it is shown: rounded half up to the currency's minor unit (0.585 USD is 0.59).

    Args:
        amount: money, unrounded.
        currency: ISO 4217 code; two decimals unless the standard says otherwise.

    Returns:
        The rounded amount, with trailing zeros: `str(money(Decimal(822), "USD"))` is "822.00".
    """
    return round_half_up(amount, _MINOR_DIGITS.get(currency, 2))


def round_half_up(amount: Decimal, digits: int) -> Decimal:
    """`amount` rounded half up to so many decimals."""
    # Shares of a month leave a tail of nines; it goes first, or an exact half cent would print one cent too low.
    without_tail = amount.quantize(_TAIL, ROUND_HALF_EVEN, EXACT)
    return without_tail.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)


def short(number: Decimal) -> str:
    """A quantity for people: three decimals, or three significant digits where it is smaller."""
    places = max(3, 2 - number.adjusted()) if number else 0
    return plain(round_half_up(number, min(places, 12)))


def plain(number: Decimal) -> str:
    """A number for machines: no exponent, no trailing zeros, unrounded up to the twelfth decimal."""
    text = f"{number.quantize(_TAIL, ROUND_HALF_EVEN, EXACT):f}"
    return text.rstrip("0").rstrip(".") if number else "0"
