#include "thalweg/core/core.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// The message of the error that reading `text` throws; empty where it reads.
std::string complaint(const std::string& text) {
  try {
    to_number(text, "flow.nu");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(Require, ThrowsItsMessageOnlyWhereTheConditionFails) {
  EXPECT_NO_THROW(require(true, "unsaid"));
  try {
    require(false, "said");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "said");
  }
}

// Random bits meet every exponent, denormal numbers among them.
TEST(ToText, ReadsBackToTheSameBits) {
  Stream draw(1, Purpose::probe);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(draw());
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(to_number(to_text(value), "value")), std::bit_cast<std::uint64_t>(value));
  }
}

TEST(ToText, IsShort) {
  EXPECT_EQ(to_text(.1), "0.1");
  EXPECT_EQ(to_text(1), "1");
  EXPECT_EQ(to_text(-2.5e-9), "-2.5e-09");
}

TEST(ToText, CallsEveryNanByOneName) {
  EXPECT_EQ(to_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(to_text(-std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(ToNumber, ReadsDecimalForms) {
  EXPECT_EQ(to_number("0.5", "x"), .5);
  EXPECT_EQ(to_number("+1e3", "x"), 1000);
  EXPECT_EQ(to_number("-.25", "x"), -.25);
  EXPECT_TRUE(std::signbit(to_number("-0", "x")));
}

TEST(ToNumber, NamesWhatIsNotAFiniteNumber) {
  for (const std::string text :
       {"", "+", "one", "1.5x", " 1", "1 ", "1,5", "nan", "inf", "-inf", "1e999", "0x10", "++1", "+-1"})
    EXPECT_EQ(complaint(text), "flow.nu: '" + text + "' is not a number");
}

}  // namespace
}  // namespace thalweg
