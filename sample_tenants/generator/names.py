"""Invented names for people and shared mailboxes; plain ASCII, so that addresses have as many bytes as letters."""

from __future__ import annotations

# fmt: off
FIRST = (
    "Ada", "Alan", "Alice", "Amir", "Andrea", "Anna", "Ben", "Bianca", "Bruno", "Carla", "Celia", "Chen", "Clara",
    "Colin", "Dana", "Daniel", "Diego", "Dora", "Edith", "Elena", "Emil", "Erik", "Esther", "Farid", "Felix",
    "Flora", "Gavin", "Grace", "Hana", "Hector", "Helen", "Hugo", "Ida", "Ines", "Ivan", "Jack", "Jana", "Joel",
    "Julia", "Karim", "Kate", "Lars", "Laura", "Leo", "Lena", "Lucas", "Mara", "Marco", "Maya", "Mei", "Milo",
    "Nadia", "Nina", "Noah", "Nora", "Olga", "Omar", "Oscar", "Paula", "Peter", "Petra", "Priya", "Quinn", "Rafael",
    "Rita", "Robin", "Rosa", "Ruth", "Sam", "Sara", "Selma", "Simon", "Sofia", "Stella", "Tara", "Theo", "Tomas",
    "Uma", "Vera", "Victor", "Wanda", "Will", "Yara", "Yusuf", "Zoe",
)
LAST = (
    "Abbott", "Adeyemi", "Alvarez", "Archer", "Baker", "Banerjee", "Barlow", "Becker", "Bishop", "Bowen", "Brandt",
    "Cabrera", "Carver", "Castillo", "Chandler", "Cho", "Cole", "Conrad", "Cruz", "Dalton", "Dawson", "Delgado",
    "Dixon", "Doyle", "Ellis", "Erikson", "Fischer", "Fleming", "Foster", "Garner", "Gibson", "Grant", "Greene",
    "Haddad", "Hale", "Harper", "Hayes", "Hoffman", "Holt", "Ibarra", "Ito", "Jensen", "Kapoor", "Keller", "Kim",
    "Klein", "Lambert", "Lang", "Larsen", "Lopez", "Lowell", "Marsh", "Mendez", "Meyer", "Monroe", "Moreau", "Nash",
    "Nguyen", "Novak", "Okafor", "Olsen", "Ortiz", "Palmer", "Park", "Patel", "Pierce", "Quist", "Ramos", "Reid",
    "Reyes", "Rossi", "Sandoval", "Schmidt", "Shaw", "Silva", "Singh", "Sloan", "Stern", "Suzuki", "Tanaka",
    "Thorne", "Vance", "Vargas", "Voss", "Walsh", "Weber", "Winslow", "Wolfe", "Young",
)
SHARED = (
    "intake", "billing", "reception", "records", "docketing", "conflicts", "careers", "helpdesk", "facilities",
    "marketing", "accounts", "scanning", "events", "payroll", "compliance", "library", "orders", "returns",
    "support", "press",
)
# fmt: on
