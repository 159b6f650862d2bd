"""The words of the sample site that are not in the catalogue."""

from __future__ import annotations

PAGES = {  # path: (title, HTML)
    "/about.html": (
        "About",
        (
            "<p>Paper Window is an invented shop. It prints the sample pictures on paper, or says so. Prices, stock\n"
            "and and order numbers are made up; the pictures are real and free to use.</p>\n"
            '<p>Questions go to the <a href="/delivery.html">delivery desk</a>, which is also invented.</p>'
        ),
    ),
    "/delivery.html": (
        "Delivery",
        (
            "<p>Cards travel flat, posters travel rolled, and the canvas stays where it is.</p>\n"
            '<table class="postage">\n<tr><th>To</th><th>Days</th><th>Postage</th></tr>\n'
            "<tr><td>Next door</td><td>1</td><td>£0.00</td></tr>\n"
            "<tr><td>Across the water</td><td>4–6</td><td>4,50 €</td></tr>\n"
            "<tr><td>Far end</td><td>12</td><td>¥1,900</td></tr>\n</table>\n"
            '<p>The same as a file: <a href="/files/postage.csv">postage.csv</a>.</p>'
        ),
    ),
    "/paper.html": (
        "Paper",
        (
            "<p>Weights are in grams per square metre. Card begins where a sheet stands up by itself.</p>\n"
            "<dl>\n<dt>Kraft</dt><dd>brown, strong, wraps things</dd>\n<dt>Baryt</dt><dd>white, heavy, for greys</dd>\n"
            "<dt>和紙</dt><dd>long fibres, soft edges</dd>\n</dl>\n"
            '<p>Files: <a href="/files/price-list.csv">price list</a>, <a href="/files/catalogue.json">catalogue</a>,\n'
            '<a href="/files/Preisliste%20M%C3%A4rz.csv">Preisliste März</a>,\n'
            '<a href="/files/press-kit.zip">press kit</a>.</p>'
        ),
    ),
    "/private/stock.html": (
        "Stock room",
        "<p>robots.txt asks programs not to come in here. A polite one never reads this.</p>",
    ),
}

RUSSIAN = (
    "Бумажное окно",
    (
        "<h1>Бумажное окно</h1>\n<p>Это выдуманный магазин открыток. Страница записана в кодировке windows-1251,\n"
        "и говорит об этом только она сама: сервер о кодировке молчит.</p>\n"
        '<p>Открытка с котом: <a href="/item/cat-postcard.html">смотреть</a>. <span class="price">120 руб.</span></p>'
    ),
)

CZECH = (
    "Papírové okno",
    (
        "<h1>Papírové okno</h1>\n<p>Příliš mnoho pohlednic na jeden malý vymyšlený obchod. Tato stránka je v kódování\n"
        "ISO-8859-2 a prozradí to jen hlavička serveru.</p>\n"
        '<p>Šest podtácků: <a href="/item/coffee-coasters.html">ukázat</a>. <span class="price">1 250 Kč</span></p>'
    ),
)

LOGIN = """<form method="post">
<input type="hidden" name="form" value="members">
<p><label>Name <input name="user"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button>Log in</button></p>
</form>"""

LIVE = """<p>This list is empty until the script below has filled it.</p>
<ul class="items"></ul>
<script>
fetch("/files/catalogue.json").then(answer => answer.json()).then(items => {
  for (const item of items) {
    const card = document.createElement("li"), title = document.createElement("b");
    title.textContent = item.title;
    card.className = "card";
    card.append(title, " is printed on ", item.paper);
    document.querySelector(".items").append(card);
  }
});
</script>"""

STYLE = """body { font: 1rem/1.5 Georgia, serif; margin: 2rem auto; max-width: 44rem; padding: 0 1rem; color: #2b2622; }
header, footer { border: solid #d8cfc4; border-width: 0 0 1px; padding: .5rem 0; }
header a { margin-right: 1rem; }
.breadcrumbs ol { list-style: none; padding: 0; display: flex; gap: .5rem; }
.breadcrumbs li + li::before { content: "›"; padding-right: .5rem; }
.items { list-style: none; padding: 0; display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
.card img { width: 100%; height: 11rem; object-fit: cover; display: block; }
.item img { max-width: 100%; background: #efe9e1; }
.price { font-weight: bold; }
.pages a { margin-right: 1rem; }
th { text-align: left; padding-right: 2rem; }
"""

FILES = {
    "terms.txt": "Terms\n\n1. The shop is invented.\n2. So are these terms.\n3. The pictures are real.\n",
    "welcome.txt": "Welcome. Willkommen. Bienvenue. Vítejte. Добро пожаловать. ようこそ。\n",
    "empty.txt": "",
    "postage.csv": 'to,days,postage\nNext door,1,£0.00\nAcross the water,4-6,"4,50 €"\nFar end,12,"¥1,900"\n',
    "sizes.csv": "name,width_mm,height_mm\ncard,148,105\nsquare,148,148\nsheet,210,297\nposter,500,700\n",
    "hours.json": '{"monday": "closed", "tuesday": "9-17", "saturday": "until the coffee is gone"}\n',
    "feed.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<news><entry>The stencil is sold out.</entry></news>\n',
    "logo.svg": (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path fill="none" stroke="#6b4226" '
        'stroke-width="3" d="M5 5h30v30H5zM20 5v30M5 20h30"/></svg>\n'
    ),
}
