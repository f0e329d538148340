"""Writes the vectors of the sentence-transformers library, which a test compares with the trainer's encoder.

    pip install sentence-transformers
    python titles_reference.py FOLDER

FOLDER holds the model all-MiniLM-L6-v2. The output replaces titles_reference.json in the folder of this script.
"""

import json
import sys
from pathlib import Path

from sentence_transformers import SentenceTransformer

# The values are about 0.05, and both programs agree to about 1e-6.
DECIMALS = 6

# Titles of MovieLens's ml-latest-small as the catalogue shows them, of every kind that a tokenizer may get wrong.
TITLES = [
    # Plain ones.
    "Toy Story",
    "The Matrix",
    "The Lord of the Rings: The Fellowship of the Ring",
    "Heat",
    "Ran",
    "Eternal Sunshine of the Spotless Mind",
    # Single letters, digits and signs.
    "M",
    "Z",
    "9",
    "10",
    "Pi",
    "xXx",
    "2001: A Space Odyssey",
    "1984 (Nineteen Eighty-Four)",
    "20,000 Leagues Under the Sea",
    "3:10 to Yuma",
    "11'09\"01 - September 11",
    "50/50",
    "F/X",
    "61*",
    "(500) Days of Summer",
    "*batteries not included",
    "...And Justice for All",
    "'night Mother",
    "8 ½ Women (a.k.a. 8 1/2 Women) (a.k.a. Eight and a Half Women)",
    "Alien³ (a.k.a. Alien 3)",
    "[REC]³ 3 Génesis",
    "WALL·E",
    "Secrets & Lies",
    "Who's Harry Crumb?",
    "Girls! Girls! Girls!",
    "M. Hulot’s Holiday (Mr. Hulot's Holiday) (Les Vacances de Monsieur Hulot)",
    # Accents and other letters.
    "Les Misérables",
    "Amelie (Le Fabuleux destin d'Amélie Poulain)",
    "¡Three Amigos!",
    "The Double Life of Veronique (La Double Vie de Véronique)",
    "Show Me Love (Fucking Åmål)",
    "Babette's Feast (Babettes gæstebud)",
    "Brothers (Brødre)",
    "The Legend of Rita (Die Stille nach dem Schuß)",
    "A Short Film About Killing (Krótki film o zabijaniu)",
    "Wings of Desire (Der Himmel über Berlin)",
    # Japanese, Persian and Cantonese in Latin letters.
    "Tokyo Story (Tôkyô monogatari)",
    "Street Fighter II: The Animated Movie (Sutorîto Faitâ II gekijô-ban)",
    "Turtles Can Fly (Lakposhtha hâm parvaz mikonand)",
    "3 Extremes (Three... Extremes) (Saam gaang yi)",
    # The longest ones.
    "Dragon Ball Z: Bardock - The Father of Goku (Doragon bôru Z: Tatta hitori no saishuu kessen - Furiiza ni itonda Z "
    "senshi Kakarotto no chichi)",
    "Dragon Ball Z the Movie: The World's Strongest (a.k.a. Dragon Ball Z: The Strongest Guy in The World) (Doragon "
    "bôru Z: Kono yo de ichiban tsuyoi yatsu)",
    "The Unintentional Kidnapping of Mrs. Elfriede Ott (Die Unabsichtliche Entführung der Frau Elfriede Ott)",
]

# No title reaches the model's limit of tokens, so all titles together make one that exceeds it.
TITLES.append(" ".join(TITLES))


def main():
    model = SentenceTransformer(sys.argv[1], device="cpu")
    embeddings = model.encode(TITLES, normalize_embeddings=True)
    cases = [
        {"title": title, "embedding": [round(float(value), DECIMALS) for value in embedding]}
        for title, embedding in zip(TITLES, embeddings)
    ]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    path = Path(__file__).with_suffix(".json")
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"wrote {len(cases)} embeddings to {path.name}; {model.max_seq_length} tokens at most")


main()
