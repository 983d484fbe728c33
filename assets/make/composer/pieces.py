"""The pieces to compose: title, style, key and mood."""

from typing import NamedTuple

SEED = 64


class Piece(NamedTuple):
    """A piece to compose; its notes follow from the title, the style, the key and `SEED`."""

    title: str
    style: str  # a key of STYLES
    key: str  # as `Key.named` parses it
    mood: str


PIECES = tuple(
    Piece(*(word.strip() for word in line.split("·")))
    for line in """
    Paper Lanterns · waltz · G major · festive
    The Revolving Door · waltz · D minor · restless
    Sugar on the Sill · waltz · B flat major · sweet
    Last Tram to the Harbour · waltz · E minor · wistful
    A Glove Left Behind · slow waltz · A minor · melancholy
    Room with a North Window · slow waltz · F major · quiet
    Rain on the Dance Floor · slow waltz · C sharp minor · sorrowful
    The Clockmaker's Daughter · minuet · C major · graceful
    Porcelain Fox · minuet · G major · sly
    Candle Inspection · minuet · G minor · grave
    The Second Fan · minuet · D major · bright
    Boots by the Stove · mazurka · A minor · rustic
    Poppies in the Barley · mazurka · C major · proud
    The Crooked Fence · mazurka · F sharp minor · bitter-sweet
    Descending the Tower · passacaglia · D minor · solemn
    Tide Tables · passacaglia · F major · patient
    Nine Grey Stairs · passacaglia · B minor · dark
    Moth and Lamp · lullaby · F major · tender
    Hush of the Snowplough · lullaby · D flat major · drowsy
    Small Boat, Large Moon · lullaby · A major · dreamy
    For a Child Who Won't · lullaby · E minor · uneasy
    Shepherd without a Flock · siciliana · G minor · lonely
    Thyme and Dust · siciliana · B flat major · warm
    The Well at Noon · siciliana · E minor · still
    Oars in the Reeds · barcarolle · G flat major · floating
    Under the Footbridge · barcarolle · F minor · shadowy
    Slow Canal · barcarolle · D major · serene
    Kettle on the Boil · jig · D major · merry
    The Ferryman's Change · jig · E dorian · brisk
    Three Geese and a Gate · jig · A mixolydian · cheeky
    Turf Smoke · jig · B minor · wild
    Bellows · musette · G major · pastoral
    Ivy on the Mill · musette · A dorian · old
    The Goat's Holiday · musette · F major · comic
    Nickel in the Slot · ragtime · C major · jaunty
    Parasol Parade · ragtime · F major · sunny
    Trouble with Buttons · ragtime · E flat major · playful
    The Sidestreet Strut · ragtime · A flat major · cocky
    Salt Wind · habanera · D minor · smouldering
    Orange Peel · habanera · G major · languid
    Balcony with Cat · habanera · A minor · teasing
    The Runaway Pram · polka · C major · breathless
    Tin Bucket · polka · B flat major · boisterous
    A Button for the Baker · polka · E major · gleeful
    Chalk and Slate · sonatina · C major · clear
    Letter with a Blue Stamp · sonatina · G major · hopeful
    The Strict Aunt · sonatina · A minor · stern
    Steps on Gravel · sonatina · E flat major · lively
    Toy Regiment · march · B flat major · proud
    Parade of Umbrellas · march · F major · comic
    The Long Road In · march · C minor · heroic
    The Lamp Outlasts the Guest · nocturne · E flat major · tender
    Frost on the Orchard · nocturne · B major · luminous
    Window Seat · nocturne · C minor · brooding
    What the River Kept · nocturne · F sharp minor · yearning
    The Miller's Cap · folk song · D dorian · plain
    Three Hills Over · folk song · G major · hearty
    Bread before Morning · folk song · E minor · weary
    Cloth of Green · folk song · D mixolydian · free
    Plum Rain · pentatonic song · G flat pentatonic · delicate
    The Paper Crane Mends · pentatonic song · D pentatonic · calm
    Bamboo Gate · pentatonic song · A minor pentatonic · hushed
    Kite above the Quarry · pentatonic song · F pentatonic · airy
    Corner Table · tango · A minor · intense
    Knife and Carnation · tango · G minor · fierce
    The Landlady's Secret · tango · C sharp minor · dramatic
    Ceiling Fan · bossa · D major · cool
    Postcard, No Address · bossa · F minor · nostalgic
    Half a Lime · bossa · B flat major · easy
    Wet Pavement Blues · blues · G blues · gloomy
    Borrowed Hat Blues · blues · F major blues · wry
    Nobody's Bicycle · blues · B flat major blues · lazy
    Burnt Toast Blues · blues · C blues · gruff
    Engine Number Nine Lives · boogie · C major blues · driving
    Washboard Hill · boogie · G major blues · rowdy
    Loose Change · boogie · F major blues · swaggering
    Evening, the Doors Shut · chorale · G major · devout
    For Those at Sea · chorale · D minor · grave
    Harvest Thanks · chorale · A major · grateful
    The Empty Chair · chorale · E minor · mourning
    Two Squirrels · invention · C major · nimble
    Argument in the Stairwell · invention · D minor · argumentative
    Mirror, Slightly Late · invention · F major · clever
    Needle and Thread · invention · B minor · diligent
    The Lopsided Cart · five · G major · quirky
    Five Crows · five · D minor · ominous
    A Walk with One Shoe · five · A major · carefree
    Mountain Bus · seven · D phrygian · hurried
    Walnuts · seven · A minor · earthy
    Quick, the Curtain · seven · G mixolydian · sparkling
    The Otter's Errand · slip jig · G major · light
    Nettle Soup · slip jig · E dorian · tart
    Round the Long Table · slip jig · D major · convivial
    Ladder to the Balcony · serenade · A flat major · ardent
    The Moon Owes Rent · serenade · E major · amused
    Behind the Shutters · serenade · B minor · secretive
    """.strip().splitlines()
)
