namespace Lampion.Runtime
{
    /// <summary>Header lines: a byte is a character. .NET's own encoding of that name is slow to start.</summary>
    internal static class Latin1
    {
        internal static byte[] Bytes(string text)
        {
            var bytes = new byte[text.Length];
            for (int index = 0; index < bytes.Length; index++)
            {
                bytes[index] = (byte)text[index];
            }
            return bytes;
        }

        internal static string Text(byte[] bytes, int start, int count)
        {
            var characters = new char[count];
            for (int index = 0; index < count; index++)
            {
                characters[index] = (char)bytes[start + index];
            }
            return new string(characters);
        }
    }
}
