#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "thalweg/data/dataset.hpp"

namespace thalweg {
namespace {

std::filesystem::path file_of_this_test() {
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  return std::filesystem::path(testing::TempDir()) / ("thalweg_data_" + name + ".csv");
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

Dataset read_text(const std::string& text) {
  std::ofstream(file_of_this_test()) << text;
  return read_data(file_of_this_test());
}

std::string refusal(const std::string& text) {
  try {
    read_text(text);
  } catch (const std::invalid_argument& error) {
    return std::string(error.what()).substr(std::string(error.what()).find("line"));
  }
  return "accepted";
}

bool same(const Samples& a, const Samples& b) {
  return a.x == b.x && a.clean == b.clean && a.label == b.label && a.fragment == b.fragment;
}

TEST(DataFile, RoundTripsBitForBit) {
  DataSpec spec;
  spec.kind = "islands";
  spec.noise = 0.25;
  const Dataset written = make_dataset(spec);
  write_data(file_of_this_test(), written);
  const std::string text = text_of(file_of_this_test());
  const Dataset read = read_data(file_of_this_test());
  EXPECT_TRUE(same(written.train, read.train));
  EXPECT_TRUE(same(written.validation, read.validation));
  EXPECT_TRUE(same(written.test, read.test));
  EXPECT_EQ(read.noise_realised, written.noise_realised);
  EXPECT_TRUE(std::isnan(read.noise_nominal));
  write_data(file_of_this_test(), read);
  EXPECT_EQ(text_of(file_of_this_test()), text);
  EXPECT_FALSE(std::filesystem::exists(file_of_this_test().string() + ".partial"));
}

TEST(DataFile, LeavesAbsentSplitsEmptyAndKeepsTwoClasses) {
  const Dataset data = read_text("x0,clean,label,fragment,split\n0.5,0,0,0,test\n-1,0,0,0,test\n");
  EXPECT_EQ(data.train.size(), 0);
  EXPECT_EQ(data.features(), 1);
  EXPECT_EQ(data.test.size(), 2);
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(data.low[0], -1);
  EXPECT_EQ(data.high[0], 0.5);
}

TEST(DataFile, NamesAMalformedRowByItsLine) {
  const std::string header = "x0,clean,label,fragment,split\n1,0,1,0,train\n";
  EXPECT_EQ(refusal("x0,x2,clean,label,fragment,split\n1,1,0,1,0,train\n"),
            "line 1: the header is not x0,x1,...,clean,label,fragment,split");
  EXPECT_EQ(refusal(header + "1,0,0,train\n"), "line 3: 4 cells where the header has 5");
  EXPECT_EQ(refusal(header + "one,0,1,0,train\n"), "line 3, x0: 'one' is not a number");
  EXPECT_EQ(refusal(header + "1,-1,1,0,train\n"), "line 3, clean: '-1' is not one of 0, 1, 2, ...");
  EXPECT_EQ(refusal(header + "1,0,1,0,tests\n"), "line 3, split: no 'tests'; did you mean test?");
}

TEST(DataFile, FailsWhereItCannotBeWrittenOrRead) {
  EXPECT_THROW(write_data("/nonexistent/data.csv", Dataset{}), std::runtime_error);
  EXPECT_THROW(read_data("/nonexistent/data.csv"), std::runtime_error);
}

}  // namespace
}  // namespace thalweg
