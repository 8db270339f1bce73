package msg

import "github.com/semeco/go-sdc/mdib/pm"

// GetLocalizedText asks for texts by reference. Empty lists do not restrict.
type GetLocalizedText struct {
	AbstractGet
	Ref []pm.LocalizedTextRef `sdc:"Ref,*"`
	// Version of the texts; absent means the latest.
	Version pm.Opt[uint64] `sdc:"Version,?"`
	Lang    []pm.Language  `sdc:"Lang,*"`
	// TextWidth keeps texts whose lines are no wider than one of these.
	TextWidth []pm.LocalizedTextWidth `sdc:"TextWidth,*"`
	// NumberOfLines keeps texts of no more lines than one of these.
	NumberOfLines []int64 `sdc:"NumberOfLines,*"`
}

// GetLocalizedTextResponse carries the texts asked for.
type GetLocalizedTextResponse struct {
	AbstractGetResponse
	Text []pm.LocalizedText `sdc:"Text,*"`
}

// GetSupportedLanguages asks which languages there are texts in.
type GetSupportedLanguages struct {
	AbstractGet
}

// GetSupportedLanguagesResponse lists the languages there are texts in.
type GetSupportedLanguagesResponse struct {
	AbstractGetResponse
	Lang []pm.Language `sdc:"Lang,*"`
}
