#include "thalweg/study/weights.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../network.hpp"

namespace thalweg {
namespace {

const std::filesystem::path file = std::filesystem::temp_directory_path() / "thalweg_weights_test.csv";

std::string complaint(const std::string& text) {
  std::ofstream(file) << "layer,kind,row,column,value\n" << text;
  try {
    read_weights(file);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Weights, ReadBackBitForBitWithTheirWidths) {
  for (const auto& hidden : {std::vector<Index>{}, {4}, {3, 1, 5}}) {
    ModelSpec spec;
    spec.hidden = hidden;
    const Mlp model(spec, 2, 3);
    const Vector theta = test::normals(model.size(), 3);
    write_weights(file, model, theta);
    const Weights weights = read_weights(file);
    EXPECT_EQ(weights.theta, theta);
    std::vector<Index> widths{2};
    widths.insert(widths.end(), hidden.begin(), hidden.end());
    widths.push_back(3);
    EXPECT_EQ(weights.widths, widths);
  }
  std::filesystem::remove(file);
}

TEST(Weights, OfALandscapeReadBackBitForBitWithoutWidths) {
  const Vector theta = test::normals(7, 3);
  write_parameters(file, theta);
  const Weights weights = read_weights(file);
  EXPECT_EQ(weights.theta, theta);
  EXPECT_TRUE(weights.widths.empty());
  std::filesystem::remove(file);
}

TEST(Weights, NameTheLineThatIsWrong) {
  const std::string good = "0,weight,0,0,1.5\n";
  EXPECT_NE(complaint(good + "0,bais,0,0,1\n").find("line 3: kind 'bais'"), std::string::npos);
  EXPECT_NE(complaint(good + "0,bias,0,0,one\n").find("line 3, value: 'one'"), std::string::npos);
  EXPECT_NE(complaint(good + "0,bias,-1,0,1\n").find("line 3, row: '-1'"), std::string::npos);
  EXPECT_NE(complaint(good + good).find("line 3: this entry was given before"), std::string::npos);
  EXPECT_NE(complaint(good + "0,parameter,0,0,1\n").find("line 3: parameters of a landscape among"), std::string::npos);
  EXPECT_NE(complaint("0,parameter,0,1,1\n").find("line 2: a parameter has layer 0"), std::string::npos);
  EXPECT_NE(complaint("0,parameter,1,0,1\n").find("parameter 0 of theta is missing"), std::string::npos);
  EXPECT_NE(complaint(good).find("parameter 1 of theta is missing"), std::string::npos);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace thalweg
