"""What the sample shop sells: an invented catalogue of postcards and prints made from the sample pictures."""

from __future__ import annotations

from dataclasses import dataclass

SHOP = "Paper Window"
CATEGORIES = {
    "animals": ("Animals", "One patient cat and one horse that will not stand still."),
    "sky": ("Sky & Rockets", "Things that are far away, and one thing on its way there."),
    "table": ("At the Table", "Coffee, mostly: in colour, in four inks, and lying on its side."),
    "surfaces": ("Surfaces", "Bricks, gravel, grass — and the back of an eye."),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing for sale; `price` is as printed, `amount` and `currency` say the same for machines."""

    slug: str
    title: str
    category: str
    picture: str
    price: str
    amount: str
    currency: str
    size: str
    paper: str
    stock: int
    about: str


ITEMS = tuple(
    Item(*row)
    for row in (
        ("cat-postcard", "Cat, Looking Past You", "animals", "cat.jpg", "£1.20", "1.20", "GBP", "148 × 105 mm",
         "Matt card, 300 g/m²", 140, "A tabby with green eyes, interested in something behind your left shoulder."),
        ("cat-oval", "Kätzchen im Oval", "animals", "cat-soft-edge.png", "1,80 €", "1.80", "EUR", "105 × 148 mm",
         "Bütten, 250 g/m²", 35, "The same cat with its edges faded away, the way old portraits were cut."),
        ("cat-poster", "Cat, Rather Large", "animals", "cat.jpg", "£14.00", "14.00", "GBP", "500 × 700 mm",
         "Poster paper, 170 g/m²", 8, "For people who would like to be watched while they work."),
        ("horse-card", "Cheval brun", "animals", "horse.png", "1,50 €", "1.50", "EUR", "148 × 105 mm",
         "Carton crème, 280 g/m²", 60, "A brown silhouette, cut out so cleanly that the card shows through around it."),
        ("horse-flipbook", "Horse in Eight Steps", "animals", "horse-moving.gif", "US$6.50", "6.50", "USD",
         "60 × 45 mm", "Recycled, 200 g/m²", 22, "A flip book. Each step is held a little longer than the last."),
        ("horse-stencil", "Häst, schablon", "animals", "horse.png", "95 kr", "95.00", "SEK", "210 × 297 mm",
         "Oiled board", 0, "A stencil of the horse. Sold out until the knife has been sharpened."),
        ("rocket-postcard", "Before Breakfast", "sky", "rocket.jpg", "£1.20", "1.20", "GBP", "148 × 105 mm",
         "Matt card, 300 g/m²", 210, "A rocket waits between four lattice towers while the sky makes up its mind."),
        ("rocket-inverted", "Falling Upwards", "sky", "rocket-upside-down.jpg", "£1.20", "1.20", "GBP",
         "148 × 105 mm", "Matt card, 300 g/m²", 31, "Stored upside down; a careful viewer will put it right."),
        ("rocket-grey", "65 536 Greys", "sky", "rocket-16-bit.png", "12,00 €", "12.00", "EUR", "300 × 200 mm",
         "Baryt, 310 g/m²", 12, "The launch pad at dusk without its colours, but with every step between them."),
        ("sky-postcard", "The Far End", "sky", "deep-field.jpg", "US$2.00", "2.00", "USD", "148 × 148 mm",
         "Gloss card, 300 g/m²", 99, "Almost nothing here is a star: count the galaxies until the post arrives."),
        ("sky-poster", "宇宙の奥", "sky", "deep-field.jpg", "¥2,480", "2480", "JPY", "728 × 515 mm",
         "和紙, 180 g/m²", 5, "遠い銀河のポスター。The deep field again, on paper with long fibres."),
        ("sky-flipbook", "Closer, in Six Pages", "sky", "deep-field-zoom.webp", "CHF 7.50", "7.50", "CHF",
         "60 × 60 mm", "Recycled, 200 g/m²", 17, "Leans into the middle of the picture, page by page, then stops."),
        ("coffee-postcard", "One Espresso", "table", "coffee.jpg", "£1.20", "1.20", "GBP", "148 × 105 mm",
         "Matt card, 300 g/m²", 300, "A red cup on a red saucer on a wooden table. The spoon is clean."),
        ("coffee-sideways", "Café renversé", "table", "coffee-on-its-side.jpg", "1,50 €", "1.50", "EUR",
         "105 × 148 mm", "Carton crème, 280 g/m²", 44, "Posée sur le côté — turn the card, not your head."),
        ("coffee-inks", "Coffee in Four Inks", "table", "coffee-cmyk.jpg", "£9.50", "9.50", "GBP", "210 × 297 mm",
         "Proofing paper, 190 g/m²", 15, "The same cup as the press sees it: cyan, magenta, yellow and black."),
        ("coffee-poster", "Einmal schwarz, bitte", "table", "coffee.jpg", "1.049,00 €", "1049.00", "EUR",
         "1 400 × 2 000 mm", "Leinwand", 1, "A very large cup, on canvas. We made one, and would not mind selling it."),
        ("coffee-coasters", "Podtácky, sada šesti", "table", "coffee.jpg", "1\u00a0250\u00a0Kč", "1250.00", "CZK",
         "95 × 95 mm", "Cork and card", 26, "Six coasters with the cup on them, for cups."),
        ("coffee-calendar", "Twelve Mornings", "table", "coffee.jpg", "£11.00", "11.00", "GBP", "297 × 420 mm",
         "Uncoated, 150 g/m²", 40, "A calendar with the same picture every month. Some mornings are like that."),
        ("bricks-wrap", "Bricks, Wrapping Paper", "surfaces", "bricks.jpg", "£3.00", "3.00", "GBP", "500 × 700 mm",
         "Kraft, 80 g/m²", 75, "Any present looks heavier in it."),
        ("gravel-wrap", "Żwir, papier do pakowania", "surfaces", "gravel.jpg", "12,50\u00a0zł", "12.50", "PLN",
         "500 × 700 mm", "Kraft, 80 g/m²", 52, "Small grey stones, sharp in print and quite harmless to the touch."),
        ("grass-wrap", "Grass, Wrapping Paper", "surfaces", "grass.jpg", "£3.00", "3.00", "GBP", "500 × 700 mm",
         "Kraft, 80 g/m²", 64, "A lawn in grey. Needs no mowing & keeps flat."),
        ("retina-postcard", "The Back of an Eye", "surfaces", "retina.jpg", "US$2.00", "2.00", "USD", "148 × 148 mm",
         "Gloss card, 300 g/m²", 18, "An orange disc with rivers on it, until somebody tells you what it is."),
        ("retina-vivid", "Redder than Screens", "surfaces", "retina-wide-gamut.jpg", "24,90 €", "24.90", "EUR",
         "400 × 400 mm", "Baryt, 310 g/m²", 6, "Printed with reds that an ordinary screen cannot show."),
        ("surface-set", "Surfaces, Set of <Three>", "surfaces", "gravel.jpg", "£8.00", "8.00", "GBP", "148 × 105 mm",
         "Matt card, 300 g/m²", 90, 'Bricks, gravel & grass together; ask for "the floor".'),
    )
)  # fmt: skip
