"""A WordPiece vocabulary and the tokenization of klue/roberta-base, as this library does it."""
import collections
import heapq
import unicodedata

SPECIALS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
CLS, PAD, SEP, UNK, MASK = range(5)
LONGEST_WORD = 100

# Particles and endings that a stem may be cut from before pieces are learned, so that 남자가 and
# 남자는 share their stem. Which of them a word really has is decided by its stem's other uses.
SUFFIXES = """
은 는 이 가 을 를 의 에 에서 에게 에게서 께 께서 한테 와 과 랑 이랑 도 만 로 으로 로서 으로서 로써 으로써
부터 까지 보다 처럼 마다 조차 마저 밖에 대로 이나 나 이란 란 이라고 라고 이라는 라는 에는 에도 에서는 에서도
에게는 로는 으로는 와의 과의 로의 으로의 에서의 에의 들 들이 들은 들을 들의 들에게 들도 들과
이다 입니다 이에요 예요 이었다 였다 이었습니다 였습니다 인 인가 인가요 이고 이며 이지만 인데 이라 이라면
하다 한다 합니다 해요 했다 했습니다 했어요 했어 하고 하며 하면 하는 하던 한 할 함 하기 하기를 하지 하지만 하여
하려고 하면서 하게 하도록 하자 하세요 해 해서 해도 해야 했던 했지만 했는데 하는데 한데 하네요 하죠 했고 했으며
하지는 하지도 하거나 하니 하니까 할까 할까요 한다고 한다는 했다고 했다는 해주세요
되다 된다 됩니다 돼요 되었다 되었습니다 됐다 됐습니다 되고 되며 되면 되는 되던 된 될 됨 되기 되지 되어 되어서
되었고 되었으며 되지만 되었지만 돼 되도록 된다고 된다는 되었다고
시키다 시킨다 시킵니다 시켰다 시켰습니다 시키고 시키는 시킨 시킬 시켜
적인 적으로 적이다 적이고 적
다 ㄴ다 는다 습니다 어요 아요 었다 았다 었습니다 았습니다 었어요 았어요 고 며 면 지 지만 는데 은데 던 기 기를
어 아 어서 아서 어도 아도 어야 아야 었던 았던 었지만 았지만 었는데 았는데 네요 죠 거나 니까 으니 으니까 으면 으며
게 도록 자 세요 으세요 을까 을까요 을 지는 지도 려고 으려고 면서 으면서 는지 은지 을지 다고 다는 었다고 았다고
습니까 나요 었고 았고 었으며 았으며 음 는가 겠다 겠습니다 겠어요 었을 았을 을때 는게 는걸 네 군요
""".split()


# ------------------------------------------------------------------------------ text into words

def is_punctuation(c):
    return (c.isascii() and c.isprintable() and not c.isalnum() and c != " " or
            unicodedata.category(c).startswith("P"))


def is_ideograph(c):
    code = ord(c)
    return (0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2A6DF or
            0x2A700 <= code <= 0x2CEAF or 0xF900 <= code <= 0xFAFF or 0x2F800 <= code <= 0x2FA1F)


def words_of(text):
    """The words of a text: cut at white space, and around punctuation and ideographs."""
    spaced = []
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            spaced.append(" ")
        elif c in "\0\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn"):
            continue
        elif is_punctuation(c) or is_ideograph(c):
            spaced.append(" " + c + " ")
        else:
            spaced.append(c)
    return "".join(spaced).split()


class Tokenizer:
    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {piece: i for i, piece in enumerate(pieces)}
        self.known = {}  # the ids of a word

    def word(self, word):
        if word not in self.known:
            self.known[word] = self.match(word)
        return self.known[word]

    def match(self, word):
        """Greedy, longest first; a word that cannot be spelled whole is unknown."""
        ids, begin = [], 0
        while begin < len(word):
            for end in range(len(word), begin, -1):
                piece = ("##" if begin else "") + word[begin:end]
                if piece in self.ids:
                    break
            else:
                return [UNK]
            ids.append(self.ids[piece])
            begin = end
        return ids if len(word) <= LONGEST_WORD else [UNK]

    def __call__(self, text, most=128):
        ids = [i for word in words_of(text) for i in self.word(word)]
        return [CLS] + ids[:most - 2] + [SEP]


# --------------------------------------------------------------------------- words into a vocabulary

def stem_length(word, suffixes, uses, longest):
    """Where a suffix begins in the word: after the shortest stem that is used often enough."""
    for size in range(min(longest, len(word) - 1), 0, -1):
        if word[-size:] in suffixes and uses[word[:-size]] >= (3 if len(word) - size > 1 else 12):
            return len(word) - size
    return len(word)


def segments(counts):
    """How often each stem and suffix occurs. Suffixes begin with ##."""
    suffixes = set(SUFFIXES)
    longest = max(map(len, suffixes))
    uses = collections.Counter()  # of a stem: with how many suffixes it occurs
    for word in counts:
        uses[word] += 1
        for size in range(1, min(longest, len(word) - 1) + 1):
            if word[-size:] in suffixes:
                uses[word[:-size]] += 1
    found = collections.Counter()
    for word, count in counts.items():
        stem = stem_length(word, suffixes, uses, longest)
        found[word[:stem]] += count
        if stem < len(word):
            found["##" + word[stem:]] += count
    return found


def spelling(segment):
    """A segment as its smallest pieces."""
    inside = segment.startswith("##")
    letters = segment[2:] if inside else segment
    return [("##" if inside or i else "") + c for i, c in enumerate(letters)]


def merge_pairs(found, count):
    """The `count` pieces that joining the most frequent neighbours gives, one after another."""
    spelled = {segment: spelling(segment) for segment in found}
    pairs = collections.Counter()
    where = collections.defaultdict(set)
    for segment, parts in spelled.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += found[segment]
            where[pair].add(segment)
    queue = [(-frequency, pair) for pair, frequency in pairs.items()]
    heapq.heapify(queue)
    merged = []
    while queue and len(merged) < count:
        frequency, pair = heapq.heappop(queue)
        if -frequency != pairs[pair] or not where[pair]:
            continue  # it has changed since, and stands elsewhere in the queue
        joined = pair[0] + pair[1].removeprefix("##")
        merged.append(joined)
        changed = set()
        for segment in where.pop(pair):
            parts = spelled[segment]
            for old in zip(parts, parts[1:]):
                pairs[old] -= found[segment]
                changed.add(old)
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == pair:
                    parts[i:i + 2] = [joined]
                i += 1
            for new in zip(parts, parts[1:]):
                pairs[new] += found[segment]
                where[new].add(segment)
                changed.add(new)
        for other in changed - {pair}:
            if pairs[other] > 0:
                heapq.heappush(queue, (-pairs[other], other))
    return list(dict.fromkeys(merged))


def letters_of(counts, least):
    """Every letter that occurs `least` times at the beginning, or inside, of words."""
    letters = collections.Counter()
    for word, count in counts.items():
        for piece in spelling(word):
            letters[piece] += count
    return [piece for piece in letters if letters[piece] >= least]


def learn(sentences, size):
    """A vocabulary of `size` pieces, the same for the same sentences."""
    counts = collections.Counter(word for text in sentences for word in words_of(text)
                                 if len(word) <= LONGEST_WORD)
    ascii_printable = [chr(c) for c in range(33, 127)]
    inside = ["##" + c for c in ascii_printable if c.isalnum()]
    hangul = [chr(c) for c in range(0xAC00, 0xD7A4)]
    letters = set(letters_of(counts, 1)) & {m + c for m in ("", "##") for c in hangul}
    letters |= set(letters_of(counts, 5))
    letters = sorted(letters - set(ascii_printable) - set(inside))
    alphabet = SPECIALS + ascii_printable + letters + inside
    known = set(alphabet)
    merged = [piece for piece in merge_pairs(segments(counts), size) if piece not in known]
    return (alphabet + merged)[:size]
