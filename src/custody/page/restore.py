# restore.py reads lines of these pages, typed or scanned, of one or more shares or
# of a key, each with its number: python3 restore.py < FILE. It writes the key to
# key.age, or prints the passphrase that opens it.
import sys, getpass, hashlib
def mul(a, b, bits, poly):  # product in the field of 2^bits elements
    r = 0
    while b:
        if b & 1: r ^= a
        a, b = a << 1, b >> 1
        if a >> bits: a ^= poly
    return r
def good(number, symbols):  # the line's last four symbols are a Reed-Solomon code
    for x in 2, 4, 8, 16:
        r = 0
        for s in [number // 32, number % 32] + symbols: r = mul(r, x, 5, 37) ^ s
        if r: return False
    return True
alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
blocks = []
for text in sys.stdin:
    words = text.upper().replace("O", "0").replace("I", "1").replace("L", "1").split()
    if not words or words[0][0] == "#": continue
    number, symbols = int(words[0]), [alphabet.find(c) for c in "".join(words[1:])]
    if len(symbols) != 20 or -1 in symbols or not good(number, symbols):
        sys.exit("this line is wrong: " + text)
    if number == 1: blocks.append(b"")
    if not blocks or len(blocks[-1]) != 10 * (number - 1):
        sys.exit("a line is missing before: " + text)
    value = 0
    for s in symbols[:16]: value = value * 32 + s
    blocks[-1] += value.to_bytes(10, "big")
shares = {}
blocks.sort(key=lambda b: b[0] == 3)  # the shares first
for b in blocks:
    if b[0] == 3:  # a key: length, digest, the file
        key = b[10:10 + 256 * b[1] + b[2]]
        if hashlib.sha256(key).digest()[:7] != b[3:10]: sys.exit("the key is damaged")
        open("key.age", "wb").write(key)
        print("written: key.age")
        continue
    # a share: kind, how many are needed, how many there are, x, set, y, digest
    head, y = b"\1" + b[1:10], b[10:42]
    if b[0] == 2:
        word = getpass.getpass("Passphrase of share %d: " % b[3]).encode()
        cover = hashlib.scrypt(word, salt=head, n=65536, r=8, p=1, maxmem=2**27, dklen=32)
        y = bytes(p ^ q for p, q in zip(y, cover))
    if hashlib.sha256(head + y).digest()[:8] != b[42:50]:
        sys.exit("share %d is damaged, or its passphrase is wrong" % b[3])
    shares[b[3]] = y
    if b[4:10] != blocks[0][4:10]: sys.exit("these shares are of two different sets")
if shares and len(shares) < blocks[0][1]: sys.exit("%d shares are needed" % blocks[0][1])
if shares:
    secret = []
    for i in range(32):  # the polynomial through all (x, y), at 0 (Lagrange)
        total = 0
        for x in shares:
            term = shares[x][i]
            for z in shares:
                if z == x: continue
                inverse = [c for c in range(256) if mul(z ^ x, c, 8, 285) == 1][0]
                term = mul(mul(term, z, 8, 285), inverse, 8, 285)
            total ^= term
        secret.append(total)
    print(bytes(secret).hex())
