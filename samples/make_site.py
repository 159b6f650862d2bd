"""Make `samples/site/` from the catalogue: the same bytes every time.

Example: python samples/make_site.py
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

if not __package__:  # run as a script, from anywhere
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from samples.catalogue import CATEGORIES, ITEMS, SHOP, Item
from samples.texts import CZECH, FILES, LIVE, LOGIN, PAGES, RUSSIAN, STYLE

SITE = Path(__file__).resolve().parent / "site"
ORIGIN = "http://origin.invalid"  # the server puts its own address in its place
Crumbs = Sequence[tuple[str, str]]


def make(target: Path = SITE) -> None:
    """Write the whole site into `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    for path, data in {**pages(), **apart(), **extras(), **files()}.items():
        place = target / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def pages() -> dict[str, bytes]:
    """Return every HTML page that links lead to, by its path."""
    made = {f"/item/{item.slug}.html": _detail(item) for item in ITEMS}
    for slug, (name, about) in CATEGORIES.items():
        made |= _listing(f"/category/{slug}/", name, about, [item for item in ITEMS if item.category == slug], 4)
    made |= _listing("/all/", "Everything", "The whole catalogue, in no order that we remember choosing.", ITEMS, 9)
    made |= {path: _page(path, title, f"<h1>{escape(title)}</h1>\n{text}") for path, (title, text) in PAGES.items()}
    made["/index.html"] = _home()
    encoded = {path: page.encode() for path, page in made.items()}
    encoded["/russkij.html"] = _page("/russkij.html", *RUSSIAN, charset="windows-1251", lang="ru").encode("cp1251")
    encoded["/cesky.html"] = _page("/cesky.html", *CZECH, charset="", lang="cs").encode("iso-8859-2")
    return encoded


def apart() -> dict[str, bytes]:
    """Return the pages that no link leads to: the members' room, and a page whose rows come by script."""
    trade = ((escape(item.title), Decimal(item.amount) * 3 / 4, item.currency) for item in ITEMS)
    prices = "".join(
        f'<tr><th>{title}</th><td class="trade">{amount:.2f} {currency}</td></tr>\n'
        for title, amount, currency in trade
    )
    made = {
        "/members/login.html": ("Log in", LOGIN),
        "/members/index.html": ("Members", f'<p class="greeting">Welcome back.</p>\n<table>\n{prices}</table>'),
        "/live/index.html": ("Papers", LIVE),
    }
    return {
        path: _page(path, title, f"<h1>{escape(title)}</h1>\n{text}").encode() for path, (title, text) in made.items()
    }


def extras() -> dict[str, bytes]:
    """Return what crawlers and browsers look for beside the pages."""
    public = sorted(path for path in pages() if not path.startswith("/private/"))
    urls = "".join(f"<url><loc>{_canonical(path)}</loc><lastmod>2025-01-01</lastmod></url>\n" for path in public)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return {
        "/robots.txt": f"User-agent: *\nDisallow: /private/\n\nSitemap: {ORIGIN}/sitemap.xml\n".encode(),
        "/sitemap.xml": f"{head}{urls}</urlset>\n".encode(),
        "/style.css": STYLE.encode(),
    }


def files() -> dict[str, bytes]:
    """Return what there is to download."""
    catalogue = [{"slug": item.slug, "title": item.title, "size": item.size, "paper": item.paper} for item in ITEMS]
    made = {f"/files/{name}": text.encode() for name, text in FILES.items()}
    made["/files/price-list.csv"] = _table(",")
    made["/files/Preisliste März.csv"] = _table(";")
    made["/files/catalogue.json"] = (json.dumps(catalogue, ensure_ascii=False, indent=1) + "\n").encode()
    return {
        **made,
        "/files/press-kit.zip": _zip({"terms.txt": made["/files/terms.txt"], "logo.svg": made["/files/logo.svg"]}),
    }


def _detail(item: Item) -> str:
    path, picture, category = f"/item/{item.slug}.html", f"/pictures/{item.picture}", f"/category/{item.category}/"
    product = {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": f"PW-{item.slug}",
        "name": item.title,
        "description": item.about,
        "image": ORIGIN + picture,
        "offers": {
            "@type": "Offer",
            "price": item.amount,
            "priceCurrency": item.currency,
            "availability": f"https://schema.org/{'InStock' if item.stock else 'OutOfStock'}",
            "url": ORIGIN + path,
        },
    }
    graph = {"og:type": "product", "og:title": item.title, "og:image": ORIGIN + picture, "og:url": ORIGIN + path}
    meta = "".join(f'<meta property="{name}" content="{escape(value)}">\n' for name, value in graph.items())
    meta += f'<meta name="description" content="{escape(item.about)}">\n'
    data = json.dumps(product, ensure_ascii=False, indent=1).replace("</", "<\\/")
    rows = {"Size": item.size, "Paper": item.paper, "Order number": f"PW-{item.slug}", "In stock": str(item.stock)}
    table = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>\n" for name, value in rows.items())
    siblings = [other for other in ITEMS if other.category == item.category]
    following = siblings[(siblings.index(item) + 1) % len(siblings)]
    return _page(
        path,
        item.title,
        f'<article class="item">\n<h1>{escape(item.title)}</h1>\n'
        f'<img src="{picture}" alt="{escape(item.title)}">\n'
        f'<p class="price">{escape(item.price)}</p>\n<p class="description">{escape(item.about)}</p>\n'
        f'<table class="specification" id="specification">\n<caption>Specification</caption>\n{table}</table>\n'
        f'<p>See also <a href="{following.slug}.html">{escape(following.title)}</a>.</p>\n</article>',
        head=f'{meta}<script type="application/ld+json">\n{data}\n</script>\n',
        crumbs=[("/", SHOP), (category, CATEGORIES[item.category][0])],
    )


def _listing(base: str, name: str, about: str, items: Sequence[Item], size: int) -> dict[str, str]:
    """Return the pages of one listing, `size` items on each, linked by rel=prev and rel=next."""
    made = {}
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    places = [base, *(f"{base}page-{number}.html" for number in range(2, len(parts) + 1))]
    for index, (place, part) in enumerate(zip(places, parts, strict=True)):
        neighbours = {"prev": places[:index][-1:], "next": places[index + 1 :][:1]}
        found = {rel: there[0] for rel, there in neighbours.items() if there}
        links = "".join(f'<a rel="{rel}" href="{there}">{rel}</a>\n' for rel, there in found.items())
        body = (
            f"<h1>{escape(name)}</h1>\n<p>{escape(about)}</p>\n"
            f'<ul class="items">\n{"".join(map(_card, part))}</ul>\n'
            f'<nav class="pages">{links}<span>page {index + 1} of {len(parts)}</span></nav>'
        )
        head = "".join(f'<link rel="{rel}" href="{there}">\n' for rel, there in found.items())
        path = f"{place}index.html" if place.endswith("/") else place
        made[path] = _page(path, name, body, head=head, crumbs=[("/", SHOP)])
    return made


def _card(item: Item) -> str:
    link = f"/item/{item.slug}.html"
    return (
        f'<li class="card"><a href="{link}?utm_source=listing"><img src="/pictures/{item.picture}" alt=""></a>\n'
        f'<a class="title" href="{link}">{escape(item.title)}</a> <span class="price">{escape(item.price)}</span>'
        f' <a href="{link}#specification">details</a></li>\n'
    )


def _home() -> str:
    rows = (
        f'<li><a href="/category/{slug}/">{escape(name)}</a>: {escape(about)}</li>\n'
        for slug, (name, about) in CATEGORIES.items()
    )
    return _page(
        "/index.html",
        "Postcards and prints",
        f"<h1>{SHOP}</h1>\n<p>Postcards and prints from a small number of pictures. Nothing is for sale: the shop\n"
        f'is invented, so that programs have something to read.</p>\n<ul class="categories">\n{"".join(rows)}</ul>\n'
        '<p><a href="/all/">Everything</a> · <a href="/russkij.html" hreflang="ru">Russian</a> · '
        '<a href="/cesky.html" hreflang="cs">Czech</a> · <a href="/private/stock.html">Stock room</a></p>',
    )


def _page(
    path: str, title: str, body: str, *, head: str = "", crumbs: Crumbs = (), charset: str = "utf-8", lang: str = "en"
) -> str:
    trail = "".join(f'<li><a href="{there}">{escape(name)}</a></li>' for there, name in crumbs)
    breadcrumbs = f'<nav class="breadcrumbs"><ol>{trail}<li>{escape(title)}</li></ol></nav>\n' if crumbs else ""
    declared = f'<meta charset="{charset}">\n' if charset else ""
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n{declared}<title>{escape(title)} - {SHOP}</title>\n'
        f'<link rel="canonical" href="{_canonical(path)}">\n<link rel="stylesheet" href="/style.css">\n{head}'
        f"</head>\n<body>\n"
        f'<header><a href="/">{SHOP}</a> <a href="/delivery.html">Delivery</a> <a href="/paper.html">Paper</a> '
        f'<a href="/about.html">About</a></header>\n{breadcrumbs}<main>\n{body}\n</main>\n'
        f'<footer><a href="/private/stock.html" rel="nofollow">Staff</a></footer>\n</body>\n</html>\n'
    )


def _canonical(path: str) -> str:
    return ORIGIN + path.removesuffix("index.html")


def _table(delimiter: str) -> bytes:
    table = io.StringIO()
    rows = csv.writer(table, delimiter=delimiter, lineterminator="\n")
    rows.writerow(["slug", "title", "price", "amount", "currency", "stock"])
    rows.writerows([item.slug, item.title, item.price, item.amount, item.currency, item.stock] for item in ITEMS)
    return table.getvalue().encode()


def _zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            info.create_system = 3  # the same bytes on every system
            archive.writestr(info, data)
    return packed.getvalue()


if __name__ == "__main__":
    make()
