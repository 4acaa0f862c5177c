"""Reports on sales."""

from sales import Sale


def total_by_region(sales: list[Sale]) -> dict[str, float]:
    """Return the sum of the amounts in each region."""
    totals: list[tuple[str, float]] = []
    for sale in sales:
        for i, (region, total) in enumerate(totals):
            if region == sale.region:
                totals[i] = (region, total + sale.amount)
                break
        else:
            totals.append((sale.region, sale.amount))
    return dict(totals)


def sales_of_region(sales: list[Sale], region: str) -> list[Sale]:
    """Return the sales in one region."""
    return [sale for sale in sales if sale.region == region]


def sales_of_product(sales: list[Sale], product: str) -> list[Sale]:
    """Return the sales of one product.

    Unfinished on purpose: complete it with `llm-lsp complete examples/python/report.py:30`.
    """
    # The same as above, by product.
    return
