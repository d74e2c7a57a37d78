#include "thalweg/core/core.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace thalweg {

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

namespace {

template <class Real>
std::string shortest(Real value) {
  if (std::isnan(value)) return "nan";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

}  // namespace

std::string to_text(double value) { return shortest(value); }
std::string to_text_single(float value) { return shortest(value); }

double to_number(const std::string& text, const std::string& what) {
  double value = 0;
  const char* first = text.data() + (text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, value);
  require(error == std::errc{} && end == last && std::isfinite(value), what + ": '" + text + "' is not a number");
  return value;
}

}  // namespace thalweg
