#include "auth/passwords/password_rules.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "user/email.hpp"

namespace um {
namespace {

// Sorted. Words of passwords, not of the language: each stands for itself and its usual
// decorations.
// clang-format off
constexpr std::array<std::string_view, 520> kWords{
    "123abc", "1a2b3c", "1a2b3c4d", "1q2w3e", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "1qazxsw2",
    "a1b2c3", "a1b2c3d4", "aa123456", "abc", "abc123", "abcd", "abcdef", "access", "access14",
    "admin", "administrator", "admiral", "airplane", "alexander", "alexandra", "alien", "aliens",
    "amanda", "amazing", "america", "amorcito", "andrew", "android", "angel", "angels", "anthony",
    "anything", "apple", "april", "arsenal", "asdf", "asdfgh", "asdqwe", "ashley", "asshole",
    "august", "australia", "autumn", "avengers", "awesome", "azerty", "baby", "babyboy", "babygirl",
    "badboy", "badgirl", "bailey", "banana", "barcelona", "baseball", "basketball", "batman",
    "beatles", "beautiful", "benjamin", "berlin", "bigboy", "bigdaddy", "bitch", "biteme", "black",
    "blessed", "blessing", "blizzard", "blue", "bonjour", "brandon", "brasil", "brazil", "brother",
    "bubbles", "bullshit", "business", "buster", "butterfly", "california", "canada", "captain",
    "champion", "change", "changeit", "changeme", "changethis", "charlie", "cheese", "chelsea",
    "cherry", "chevy", "chicago", "china", "chocolate", "christ", "cisco", "cocacola", "coffee",
    "college", "company", "computer", "contrasena", "cookie", "cool", "coolman", "corona",
    "corvette", "cowboy", "cowboys", "crazy", "crystal", "daddy", "dallas", "dance", "dancer",
    "daniel", "danielle", "darling", "database", "deadpool", "debian", "december", "default",
    "demo", "diamond", "dickhead", "disney", "doctor", "doggy", "dolphin", "donald", "dragon",
    "drummer", "eagles", "elephant", "elizabeth", "emily", "eminem", "employee", "england", "enter",
    "everything", "example", "facebook", "faith", "family", "fantastic", "father", "february",
    "ferrari", "fireball", "firefly", "fireman", "florida", "flower", "flowers", "football",
    "forest", "forever", "fortnite", "france", "freedom", "friday", "friend", "friends", "frodo",
    "fuckme", "fuckoff", "fuckyou", "gameover", "gamer", "gandalf", "garden", "garfield", "geheim",
    "general", "george", "germany", "ginger", "gladiator", "godfather", "golden", "goodbye",
    "goodluck", "google", "gorgeous", "grace", "green", "guest", "guitar", "hacker", "hackme",
    "hallo", "handsome", "hannah", "hannibal", "happiness", "happy", "harley", "harrypotter",
    "heaven", "hello", "hellokitty", "helloworld", "hero", "heroes", "hobbit", "hockey", "hogwarts",
    "hola", "honda", "honey", "hope", "horse", "hotstuff", "hunter", "ilovegod", "ilovejesus",
    "iloveu", "iloveyou", "india", "instagram", "internet", "iphone", "ironman", "isabella",
    "jaguar", "january", "japan", "jasmine", "jennifer", "jessica", "jesus", "jesuschrist", "joker",
    "jordan", "joshua", "justin", "juventus", "kevin", "killer", "king", "kingkong", "kitten",
    "kitty", "knight", "lakers", "lavender", "legend", "legolas", "lemon", "letmein", "letmeinnow",
    "letmesee", "lightning", "linkedin", "linux", "liverpool", "login", "logmein", "london",
    "loser", "love", "lovely", "loveme", "lover", "loveyou", "lucky", "lucky13", "luckyone",
    "madison", "maggie", "manager", "manchester", "march", "master", "masterkey", "matrix",
    "matthew", "maverick", "mercedes", "merlin", "metallica", "mexico", "michael", "michelle",
    "mickey", "microsoft", "midnight", "minecraft", "minnie", "molly", "mommy", "monday", "mongodb",
    "monkey", "moon", "moonlight", "morgan", "moscow", "motdepasse", "mother", "mountain", "music",
    "mustang", "mylove", "mypass", "mypassword", "mysql", "naruto", "network", "newpassword",
    "newyork", "nicholas", "nicole", "ninja", "nintendo", "nirvana", "nissan", "nobody",
    "nopassword", "nothing", "november", "nurse", "ocean", "october", "office", "oldpassword",
    "olivia", "opensesame", "openup", "oracle", "orange", "panther", "paris", "parola", "pass",
    "pass123", "passpass", "passphrase", "passw0rd", "passwd", "password", "password1password",
    "passwort", "patrick", "peace", "peanut", "pepper", "pepsi", "phoenix", "piano", "pikachu",
    "pilot", "pirate", "playstation", "please", "pokemon", "poland", "police", "porsche",
    "postgres", "postgresql", "predator", "prince", "princess", "puppy", "purple", "pussycat",
    "q1w2e3", "q1w2e3r4", "q1w2e3r4t5", "qazwsx", "queen", "qweasd", "qwert", "qwerty", "qwertz",
    "rainbow", "ranger", "realmadrid", "redis", "richard", "river", "robert", "roblox", "rocket",
    "rockstar", "root", "rootroot", "router", "russia", "samantha", "sample", "samsung", "saturday",
    "scarface", "schatz", "school", "scooter", "secret", "secretkey", "security", "senha",
    "september", "server", "service", "sesame", "sexy", "shadow", "shithead", "silver", "sister",
    "slipknot", "smile", "smiley", "sniper", "snoopy", "snowball", "snowflake", "soccer",
    "softball", "soldier", "soleil", "somebody", "sonnenschein", "sophia", "sophie", "spartan",
    "spiderman", "spring", "star", "starlight", "stars", "startrek", "starwars", "steelers",
    "steven", "storm", "strawberry", "student", "summer", "sunday", "sunflower", "sunset",
    "sunshine", "superman", "supersecret", "superstar", "sweetheart", "sweetie", "sweety", "sydney",
    "system", "taylor", "teacher", "teamo", "terminator", "test", "tester", "testing", "testtest",
    "texas", "thanks", "thankyou", "thanos", "thepassword", "thomas", "thunder", "thursday",
    "tiger", "tigger", "toor", "topsecret", "toyota", "trojan", "trustno1", "tuesday", "twitter",
    "tyler", "ubuntu", "university", "user", "username", "vanilla", "victoria", "victory", "viking",
    "villain", "vincent", "vodka", "voldemort", "volleyball", "warrior", "wednesday", "welcome",
    "welcomeback", "whatever", "whiskey", "william", "windows", "winner", "winter", "wizard",
    "wonderful", "wsxedc", "xbox", "yamaha", "yankees", "yellow", "zaq12", "zaq12wsx", "zaq1xsw2",
    "zaqwsx", "zxcvbn",
};
// clang-format on
static_assert(std::ranges::is_sorted(kWords));

// Rows and columns of the keyboard, the alphabet, the digits; read in both directions, from
// anywhere.
constexpr std::array<std::string_view, 13> kRuns{"abcdefghijklmnopqrstuvwxyz",
                                                 "01234567890123456789",
                                                 "qwertyuiopasdfghjklzxcvbnm",
                                                 "qwertzuiopasdfghjklyxcvbnm",
                                                 "azertyuiopqsdfghjklmwxcvbn",
                                                 "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
                                                 "qazwsxedcrfvtgbyhnujmikolp",
                                                 "q1w2e3r4t5y6u7i8o9p0",
                                                 "1q2w3e4r5t6y7u8i9o0p",
                                                 "!@#$%^&*()_+",
                                                 "qweasdzxc",
                                                 "qweasdzxc123",
                                                 "123qweasdzxc"};
constexpr std::size_t kDecoration = 5;
constexpr std::size_t kMaxPiece = 4;

bool is_word(std::string_view text) {
  return std::ranges::binary_search(kWords, text);
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// The letter in place of which a digit or sign is written; other characters stay as they are.
char letter_of(char c) {
  switch (c) {
    case '0':
      return 'o';
    case '1':
    case '!':
      return 'i';
    case '3':
      return 'e';
    case '4':
    case '@':
      return 'a';
    case '5':
    case '$':
      return 's';
    case '7':
      return 't';
    default:
      return c;
  }
}

// A word, or the same word twice.
bool is_word_or_two(std::string_view text) {
  const std::size_t half = text.size() / 2;
  return is_word(text) || (text.size() % 2 == 0 && text.substr(0, half) == text.substr(half) &&
                           is_word(text.substr(0, half)));
}

bool is_decorated_word(std::string_view plain, std::string_view lettered) {
  for (std::size_t front = 0; front <= kDecoration && front < plain.size(); ++front) {
    if (front > 0 && is_letter(plain[front - 1])) break;
    for (std::size_t back = 0; back <= kDecoration && front + back < plain.size(); ++back) {
      if (back > 0 && is_letter(plain[plain.size() - back])) break;
      const std::size_t size = plain.size() - front - back;
      if (is_word_or_two(plain.substr(front, size)) ||
          is_word_or_two(lettered.substr(front, size))) {
        return true;
      }
    }
  }
  return false;
}

bool is_repeated_piece(std::string_view text) {
  for (std::size_t piece = 1; piece <= kMaxPiece && piece * 2 <= text.size(); ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
  }
  return false;
}

bool is_run(std::string_view text) {
  const std::string backwards{text.rbegin(), text.rend()};
  return std::ranges::any_of(
      kRuns, [&](std::string_view run) { return run.contains(text) || run.contains(backwards); });
}

FieldError broken(std::string_view code, std::string_view message) {
  return {.field = "password", .code = std::string{code}, .message = std::string{message}};
}

}  // namespace

bool is_common_password(std::string_view password) {
  std::string plain = fold_ascii(password);
  std::string lettered = plain;
  std::ranges::transform(lettered, lettered.begin(), letter_of);
  const bool common =
      is_repeated_piece(plain) || is_run(plain) || is_decorated_word(plain, lettered);
  OPENSSL_cleanse(plain.data(), plain.size());
  OPENSSL_cleanse(lettered.data(), lettered.size());
  return common;
}

std::optional<FieldError> check_new_password(const NewPassword& candidate) {
  const std::string_view text = candidate.password.reveal();
  if (text.size() < kMinPasswordBytes) {
    return broken("too_short",
                  fmt::format("The password must have at least {} bytes.", kMinPasswordBytes));
  }
  if (text.size() > kMaxPasswordBytes) {
    return broken("too_long",
                  fmt::format("The password must have at most {} bytes.", kMaxPasswordBytes));
  }
  if (text.contains('\0')) {
    return broken("invalid_character", "The password must not contain NUL.");
  }
  if (!candidate.email.empty() && fold_ascii(text) == fold_ascii(candidate.email)) {
    return broken("same_as_email", "The password must not be the e-mail address.");
  }
  if (is_common_password(text)) {
    return broken("common_password", "This password is one of the first that are guessed.");
  }
  return std::nullopt;
}

}  // namespace um
