"""Short texts in plain English, written for the book: what real models are shown."""

MARKET = "She went to the market."
CAT = "The cat sat on the mat because it was tired."

# Six texts of four to six sentences, on different matters.
TEXTS = (
    "The bakery on our street opens at six. By seven the first loaves are gone, and a line of "
    "people waits outside in the cold. My neighbour says that the secret is the old oven. The "
    "baker says that there is no secret. He only gets up earlier than everybody else.",
    "A bicycle stays upright because it moves. If it begins to fall to the left, the rider "
    "turns the front wheel a little to the left, and the wheels roll back under the weight. "
    "Most riders do this without knowing it. Ask them how they do it, and they will tell you "
    "something else.",
    "In the spring of that year the river rose higher than anyone could remember. It came over "
    "the wall of the garden and stood in the kitchen for three days. When it had gone, there "
    "was mud on every floor, and a small fish lay in the sink. We still have a photograph of "
    "it. My sister wanted to keep the fish, too.",
    "To paint a door, first take it down. Wash it, let it dry, and rub it with fine paper until "
    "the old paint no longer shines. Then put on a thin coat and wait for a day. Two thin coats "
    "are better than a thick one, which takes a week to dry and runs down at the edges.",
    "The library has two kinds of readers. Some know the number of the shelf before they come "
    "in, and are gone again in five minutes. The others walk along the rows, take out a book, "
    "read a page, put it back and take out the next. They stay until the lights go out. The "
    "librarian likes both, but she only knows the names of the second kind.",
    "Sound needs something to travel through. In air it covers about three hundred and forty "
    "metres in a second, in water more than four times as many, and in steel fifteen times. In "
    "empty space there is no sound at all. A film in which a ship explodes among the stars "
    "should therefore be silent, and hardly any is.",
)

# Sentences that two models of the book's chapter on translation could not have seen.
SENTENCES = (
    MARKET,
    CAT,
    "The small cow did not see the white horse.",
    "We bought three apples and a loaf of bread.",
    "Where did you put the keys of the car?",
    "If it rains tomorrow, the children will stay at home.",
)
QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue? Answer in one sentence.",
    "How many legs do two cats have?",
)

# What somebody says to a model, line by line.
TALK = (
    "Hello! My name is Ada. What is yours?",
    "I had bread and an apple for breakfast. And you?",
    "What did I have for breakfast?",
    "What is my name?",
    "Say goodbye to me in French.",
)
