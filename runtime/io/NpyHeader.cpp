// A parser for just the Python literal that NumPy writes.
#include "NpyHeader.h"

#include <charconv>

using namespace adjrt;

namespace {
class Parser {
public:
  explicit Parser(std::string_view text) : text(text) {}

  Expected<NpyHeader> parse() {
    NpyHeader header;
    bool haveDescr = false, haveOrder = false, haveShape = false;
    ADJ_RETURN_IF_ERROR(expect('{'));
    while (!accept('}')) {
      ADJ_ASSIGN_OR_RETURN(std::string key, string());
      ADJ_RETURN_IF_ERROR(expect(':'));
      if (key == "descr" && !haveDescr) {
        ADJ_ASSIGN_OR_RETURN(header.descr, string());
        haveDescr = true;
      } else if (key == "fortran_order" && !haveOrder) {
        ADJ_ASSIGN_OR_RETURN(header.fortranOrder, boolean());
        haveOrder = true;
      } else if (key == "shape" && !haveShape) {
        ADJ_ASSIGN_OR_RETURN(header.shape, tuple());
        haveShape = true;
      } else {
        return wrong("the keys 'descr', 'fortran_order' and 'shape', once each");
      }
      if (!accept(',')) {
        ADJ_RETURN_IF_ERROR(expect('}'));
        break;
      }
    }
    if (!haveDescr || !haveOrder || !haveShape)
      return wrong("the keys 'descr', 'fortran_order' and 'shape', once each");
    skipSpace();
    if (position != text.size())
      return wrong("nothing after the closing brace");
    return header;
  }

private:
  tl::unexpected<Error> wrong(const std::string &expected) const {
    return invalidInput("damaged .npy header: expected " + expected + " at byte " + std::to_string(position));
  }
  void skipSpace() {
    while (position < text.size() && (text[position] == ' ' || text[position] == '\n' || text[position] == '\t'))
      ++position;
  }
  bool accept(char c) {
    skipSpace();
    if (position >= text.size() || text[position] != c)
      return false;
    ++position;
    return true;
  }
  Status expect(char c) {
    if (!accept(c))
      return wrong(std::string("'") + c + "'");
    return {};
  }
  Expected<std::string> string() {
    skipSpace();
    char quote = position < text.size() ? text[position] : '\0';
    if (quote != '\'' && quote != '"')
      return wrong("a quoted string");
    std::size_t end = text.find(quote, position + 1);
    if (end == std::string_view::npos)
      return wrong("a closing quote for the string");
    std::string value(text.substr(position + 1, end - position - 1));
    position = end + 1;
    return value;
  }
  Expected<bool> boolean() {
    skipSpace();
    for (auto [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (text.substr(position, word.size()) == word) {
        position += word.size();
        return value;
      }
    return wrong("True or False");
  }
  Expected<std::vector<std::int64_t>> tuple() {
    std::vector<std::int64_t> values;
    ADJ_RETURN_IF_ERROR(expect('('));
    while (!accept(')')) {
      skipSpace();
      std::int64_t value = 0;
      auto [end, error] = std::from_chars(text.data() + position, text.data() + text.size(), value);
      if (error != std::errc() || value < 0)
        return wrong("a size from 0 to 2^63 - 1");
      position = static_cast<std::size_t>(end - text.data());
      values.push_back(value);
      if (!accept(',')) {
        ADJ_RETURN_IF_ERROR(expect(')'));
        break;
      }
    }
    return values;
  }

  std::string_view text;
  std::size_t position = 0;
};
} // namespace

Expected<NpyHeader> adjrt::parseNpyHeader(std::string_view text) { return Parser(text).parse(); }
