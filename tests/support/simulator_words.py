"""What the provider simulator says: docs/how-to/provider-simulator.md."""

WORDS = "amber brook cedar delta ember fjord grove harbor inlet juniper kite lantern meadow north orchard pebble".split()


def answer(message, tokens=12):
    mask, h = 2**64 - 1, 0xCBF29CE484222325
    for byte in message.strip(" \t\r\n").encode():
        h = (h ^ byte) * 0x100000001B3 & mask

    def word(k):
        x = (h + (k + 1) * 0x9E3779B97F4A7C15) & mask
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
        return WORDS[(x ^ (x >> 31)) % 16]
    return " ".join(word(k) for k in range(tokens))
